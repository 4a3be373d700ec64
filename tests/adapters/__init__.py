"""Each adapter against documented responses, and what adapters share."""

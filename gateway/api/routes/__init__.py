"""One file per endpoint: each parses, calls, encodes. What goes wrong is raised, and answered by middleware."""

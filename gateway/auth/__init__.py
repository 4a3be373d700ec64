"""Who calls, as whom, and what both may: from request headers to a principal. It asks no platform."""

"""The HTTP API: each route parses, calls, encodes. What goes wrong is raised, and answered elsewhere."""

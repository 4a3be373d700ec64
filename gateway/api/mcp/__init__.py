"""The Model Context Protocol: the messages of `POST /mcp`, and the tools that it offers to agents."""

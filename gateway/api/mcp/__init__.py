"""The Model Context Protocol: `POST /mcp`, its messages, and the tools that it offers to agents."""

"""Watching connections: what was last read of each watched user, who is told of a change, and when to ask again."""

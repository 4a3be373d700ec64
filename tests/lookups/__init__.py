"""One lookup and lookups of many, and what they cost."""

"""Lookups of one platform: cache, batcher, and who is told how an answer came to be."""

"""What a reload exchanges: callers, credentials and platforms that are in force together."""

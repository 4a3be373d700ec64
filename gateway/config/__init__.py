"""The configuration: its file, its environment, its schema, its errors and its warnings."""

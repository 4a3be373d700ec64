"""What the gateway writes and counts."""

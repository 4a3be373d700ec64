"""What the gateway says about itself, to its operator."""

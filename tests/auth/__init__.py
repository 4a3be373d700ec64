"""As whom platforms are asked."""

"""The HTTP API: middleware, problems, the OpenAPI document."""

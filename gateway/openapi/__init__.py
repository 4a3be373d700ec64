"""The HTTP API as OpenAPI 3.1, made from what each route says of itself and from the types that it sends."""

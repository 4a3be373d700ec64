"""uvicorn with our bounds: the listener, the protocol, and how the process starts and ends."""

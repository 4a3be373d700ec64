"""The catalogue of problems, their JSON (RFC 9457), and what to do about each."""

"""What can be done on one platform: look up, list, act. It knows neither HTTP requests nor callers."""

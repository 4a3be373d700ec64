"""The wire to callers, spoken by hand over a real socket."""

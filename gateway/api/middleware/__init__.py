"""What every request passes, one layer per file, from the outermost in: see `gateway.app`."""

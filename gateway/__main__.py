"""`python -m gateway`: the command line."""

from gateway.cli import run

run()

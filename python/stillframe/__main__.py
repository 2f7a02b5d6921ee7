"""`python -m stillframe` is the command line."""

from stillframe.cli.main import run

run()

"""Measurements against other tools, side by side in one run. `make bench` runs all of them."""

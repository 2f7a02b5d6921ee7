"""Symbol paths: where to look, in order."""

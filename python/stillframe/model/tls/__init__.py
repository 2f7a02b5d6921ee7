"""Where threads keep their thread-local variables."""

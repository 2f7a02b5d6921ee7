"""What happened: the reasons of crashes, by name and in words."""

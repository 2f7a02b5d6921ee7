"""Expressions of C++, read and evaluated over a dump. Nothing is written, and no code of the program runs."""

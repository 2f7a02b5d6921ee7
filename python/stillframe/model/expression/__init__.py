"""Expressions of C++, read and evaluated over a dump. Nothing is written, and no code of the program runs.

`Expression` is the way in; `scope` says where its names are looked up.
"""

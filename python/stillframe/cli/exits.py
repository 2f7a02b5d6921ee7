"""Exit codes."""

ANSWERED = 0
UNANSWERED = 1
"""The question could not be answered, or only in part: memory is absent, there is no such symbol."""
BAD_INPUT = 2
"""The file is no dump, or the command is not understood."""
BUG = 70
"""A mistake of stillframe itself (EX_SOFTWARE of `sysexits.h`)."""
INTERRUPTED = 130
"""Ended by Ctrl-C: 128 + SIGINT, as shells say it."""
OUTPUT_CLOSED = 141
"""The reader of the output went away: 128 + SIGPIPE."""

EXPLANATION = """\b
Exit codes:
  0  answered
  1  not answered, or only in part: memory is absent, no such symbol
  2  the file is no dump, or the command is not understood
"""

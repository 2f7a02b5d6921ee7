"""Helpers of the tests: builders of synthetic files, and the way to real data."""

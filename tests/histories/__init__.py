"""Recorded histories of every kind of request, replayed by each test run."""

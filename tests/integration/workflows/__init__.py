"""The workflows on a real Temporal server."""

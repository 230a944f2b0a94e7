"""The journey of a request: from a command to a decision, and to what became of it."""

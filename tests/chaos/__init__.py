"""What survives when everything fails at once? A randomized campaign: ``python -m tests.chaos``."""

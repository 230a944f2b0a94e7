"""Faults that are provoked on purpose, in the whole product: slow, and run by themselves."""

"""Class fakes, for what the real parts will not do on demand."""

"""What crosses from one room to another: pure data and pure rules, importing nothing above it."""

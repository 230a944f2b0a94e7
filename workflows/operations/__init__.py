"""What can be asked for: an operation a file, made of steps that the core knows how to do."""

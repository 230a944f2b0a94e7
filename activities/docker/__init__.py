"""What a worker does with one Docker engine; the only folder that imports ``docker``."""

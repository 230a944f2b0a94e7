"""How are the README's pictures made? From a real request, in a real browser: see ``__main__``."""

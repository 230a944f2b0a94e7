"""The door for those who sit at a terminal, or script it: arguments in, tables or JSON out."""

"""Real parts that the tests start, and what drives or disturbs them."""

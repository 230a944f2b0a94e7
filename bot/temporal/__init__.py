"""How the bot reaches the workflows of requests, and what can go wrong on the way."""

"""The door to Slack: deliveries come in, are answered in time, and become acts of people."""

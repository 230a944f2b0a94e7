"""What Slack is told and asked: cards, threads, private notices, and who somebody is."""

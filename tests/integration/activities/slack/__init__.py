"""The Slack side on the real local Slack, through a proxy that checks and disturbs."""

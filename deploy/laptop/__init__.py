"""How does the whole of Dockwarden run on one machine, with embedded parts and real Docker?

The same installed commands as in production, pointed at a Temporal dev server and a local Slack
by settings alone. It is the demo, and the rig of the acceptance tests.
"""

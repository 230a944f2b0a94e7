"""What carries a request out: the driven side of the house, a folder a vendor.

Workflows name activities through ``workflows.model.ports``; the classes here fulfil those ports.
A folder imports ``workflows.model`` and nothing else of the house, and no other folder of this
room: a worker of one kind holds no key of the other. Only ``activities.worker``, which puts the
workers together, imports all of them and the workflow classes.
"""

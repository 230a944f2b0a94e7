"""The core: what a request is, who may decide it, and what happens after the approval.

This room imports the standard library and ``temporalio``, nothing else, and is deterministic:
Temporal replays it. ``request`` is the journey to a decision, ``execution`` what is done after
it, ``model`` the data and the rules that all rooms share. ``bot`` lets requests in,
``activities`` carry them out; both import this room and never each other.
"""

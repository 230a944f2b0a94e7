"""The core: what a request is, who may decide it, and what happens after the approval.

This room imports the standard library and ``temporalio``, nothing else: it runs inside
Temporal's deterministic sandbox. ``bot`` lets requests in, ``activities`` carry them out;
both import this room and never each other.
"""

"""What carries a request out: the driven side of the house.

Workflows name activities through ``workflows.ports``; the classes here fulfil those ports. The
room may import ``workflows.{models,state,ports,names,errors,references,timing}`` and nothing
else of the house; only ``activities.worker``, which assembles the workers, imports workflow
classes. The Docker side (``engine``, ``containers``, ``snapshots`` and the files that they
lean on) never imports Slack's libraries, the Slack side never imports Docker's: a worker of one
kind holds no key of the other.
"""

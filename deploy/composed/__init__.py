"""How does the compose installation run on a machine that has no registry of images to ask?

The same ``deploy/compose.yaml`` and ``deploy/Dockerfile`` as in production, with a local Slack, on
an engine that is here. Where no registry can be asked, stand-ins take the places of the images
that would come from one: what they are, and what is not shown so, is said in stand-ins.yaml.
"""

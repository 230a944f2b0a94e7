"""The driving side: what people do in Slack becomes a start, a signal or a query, never more.

This room imports ``workflows`` and the libraries of Slack and of the settings. Only ``bot.cli``
imports ``activities.worker``, inside the worker command; nothing here ever imports ``docker``.
It never draws a card and never decides who may decide: both belong to the workflow.
"""

"""What can keep the laptop from running?"""

from __future__ import annotations


class LaptopProblem(Exception):  # noqa: N818 - it is shown to people, who read it as a sentence
    """Something on this machine is missing or in the way; the text says what to do about it."""

"""How is a campaign started, and what does it print?"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.campaign import Report, campaign
from tests.chaos.plan import FAULTS


def main() -> int:
    """Run one campaign; the status is 1 when something did not hold."""
    arguments = _parser().parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"chaos: seed {seed}, {arguments.minutes:g} minutes", flush=True)  # noqa: T201
    directory = Path(tempfile.mkdtemp(prefix="dw-chaos-"))
    with (
        (directory / "parts.log").open("w") as log,
        contextlib.redirect_stderr(log),
        contextlib.redirect_stdout(log),
    ):
        report = asyncio.run(campaign(seed, arguments.minutes * 60, directory))
    print("\n".join(described(report)), flush=True)  # noqa: T201
    if not report.violations and not arguments.keep:
        shutil.rmtree(directory)
        return 0
    told = [f"request {request_id}\n{text}" for request_id, text in report.timelines.items()]
    (directory / "requests.txt").write_text("\n\n".join(told), encoding="utf-8")
    print(f"logs, and what happened to each request: {directory}", flush=True)  # noqa: T201
    return 1 if report.violations else 0


def described(report: Report) -> list[str]:
    """Write a report as people read it."""
    faults = {str(move) for move in FAULTS}
    fired = Counter({k: v for k, v in report.fired.items() if k in faults})
    done = Counter({k: v for k, v in report.fired.items() if k not in faults})
    lines = [
        f"seed      {report.seed}, {report.seconds:g} s; settled in {report.settled_after:.0f} s",
        f"faults    {fired.total()} fired: {_counts(fired)}",
        f"people    {done.total()} acts: {_counts(done)}",
        f"no effect {report.missed.total()}: {_counts(report.missed)}",
        f"requests  {report.outcomes.total()}: {_counts(report.outcomes)}",
        f"judged    {report.judged} containers against their request's end",
        f"unjudged  {report.unjudged}, with which others were at work in the same moment",
        f"violations {len(report.violations)}",
    ]
    for violation in report.violations:
        lines += [
            f"- invariant {violation.invariant}, request {violation.request_id}",
            f"  expected: {violation.expected}",
            f"  found:    {violation.found}",
        ]
    violated = {violation.request_id for violation in report.violations} & report.timelines.keys()
    for request_id in sorted(violated):
        lines += [f"request {request_id}", report.timelines[request_id]]
    return lines


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, metavar="N", help="which plan (default: any)")
    parser.add_argument("--minutes", type=float, default=2.0, metavar="M", help="how long")
    parser.add_argument("--keep", action="store_true", help="keep the logs in any case")
    return parser


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # The SDK's threads race the interpreter's shutdown.
    os._exit(status)

"""How is a measurement started, and where do its figures go?"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
from pathlib import Path

from tests.bench.figures import Figures, sentence, table
from tests.bench.measuring import measure
from tests.bench.stack import UnfitEngineError

_ROOT = Path(__file__).parents[2]
#: The one sentence of the documents that tells a figure of a run.
_SENTENCE = re.compile(r"^\*\*Speed:\*\* .*?(?=\n\n)", re.M | re.S)


def main() -> int:
    """Measure, print the table and write the figures."""
    arguments = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="dw-bench-") as directory:
        try:
            figures = asyncio.run(measure(arguments.rounds, Path(directory), say))
        except UnfitEngineError as error:
            say(f"! {error}")
            return 1
    say("\n" + "\n".join(table(figures)))
    written = json.dumps(figures.as_json(), indent=2, ensure_ascii=False)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(f"{written}\n", encoding="utf-8")
    say(f"\nthe figures as JSON: {arguments.json}")
    if arguments.docs:
        write_sentence(_ROOT / "docs" / "performance.md", figures)
    return 0


def write_sentence(page: Path, figures: Figures) -> None:
    """Put what was measured in the place of what the page told before."""
    text = page.read_text(encoding="utf-8")
    assert _SENTENCE.search(text), "the page has a paragraph that begins with **Speed:**"
    page.write_text(_SENTENCE.sub(lambda _: sentence(figures), text), encoding="utf-8")


def say(words: str) -> None:
    """Tell whoever waits."""
    print(words, flush=True)  # noqa: T201


def _rounds(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "at least one round"
        raise argparse.ArgumentTypeError(message)
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--rounds", type=_rounds, default=30, metavar="N", help="how many rounds (default: 30)"
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=_ROOT / ".dockwarden" / "bench.json",
        metavar="FILE",
        help="where the figures go (default: .dockwarden/bench.json)",
    )
    parser.add_argument(
        "--docs",
        action="store_true",
        help="tell the ratio in docs/performance.md too, with its date",
    )
    return parser


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # The SDK's threads race the interpreter's shutdown.
    os._exit(status)

"""Is what was measured told as it is?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench.__main__ import write_sentence
from tests.bench.figures import NAIVE, Figures, Machine, Round, Usage, percentile, sentence, table
from tests.bench.processes import Reading, usage
from tests.bench.stack import UnfitEngineError, refuse_unfit

MACHINE = Machine(processors=2, load=0.1, engine="20.10.24", storage="overlay2")
FIGURES = Figures(
    at=datetime(2026, 11, 27, 12, 0, tzinfo=UTC),
    version="0.1.0",
    is_sealed=True,
    machine=MACHINE,
    rounds=[
        Round(bare=0.1, naive=0.2, ours=0.25),
        Round(bare=0.1, naive=0.4, ours=0.48),
        Round(bare=0.2, naive=0.2, ours=0.26),
    ],
    events={NAIVE: 40, "Dockwarden, request": 33, "Dockwarden, operation": 24},
    usage={"worker": Usage(cpu_ms=88.4, rss_mb=105.6), "bot": Usage(cpu_ms=20.0, rss_mb=90.0)},
)


def test_the_table_sets_each_figure_beside_what_it_is_measured_by() -> None:
    """The ratio is the median of the pairs, and not a ratio of medians of other moments."""
    told = "\n".join(table(FIGURES))

    assert "3 rounds on 2 processors, Docker 20.10.24 on overlay2, with a seal key" in told
    assert "  bare docker-py                 100     200" in told
    assert "  Dockwarden / naive bot        1.25   (goal: at most 1.3)" in told
    assert "  naive bot / bare              2.00" in told
    assert "  Dockwarden, together            57   (goal: at most 60)" in told
    assert "  worker                          88     106   (goal: at most 90 CPU ms)" in told
    assert "!" not in told


def test_a_machine_with_other_work_is_told() -> None:
    """Whoever reads such figures knows what they are worth, in the documents too."""
    busy = replace(FIGURES, machine=replace(MACHINE, load=3.0))

    assert any(line.startswith("! other work") for line in table(busy))
    assert "on a machine with other work" in " ".join(sentence(busy).split())
    assert busy.as_json()["machine"]["idle"] is False


def test_the_json_holds_what_the_table_shows() -> None:
    """A script finds each figure by its name."""
    told = FIGURES.as_json()

    assert told["ours_times_naive"] == 1.25
    assert told["click_to_done_ms"]["Dockwarden"] == {"p50": 260.0, "p95": 480.0}
    assert told["history_events"]["ours"] == 57
    assert told["usage"]["worker"] == {"cpu_ms_per_request": 88.4, "rss_mb": 105.6}


def test_the_page_tells_the_ratio_with_its_date(tmp_path: Path) -> None:
    """What stood there before gives way, and nothing else."""
    page = tmp_path / "performance.md"
    page.write_text("# A\n\n**Speed:** old\nwords.\n\n## B\n", encoding="utf-8")
    write_sentence(page, FIGURES)
    text = page.read_text(encoding="utf-8")

    assert text.startswith("# A\n\n**Speed:** from the click")
    assert text.endswith("ms).\n\n## B\n")
    assert "1.25 times as long" in " ".join(text.split())
    assert "2026-11-27" in text
    assert "old" not in text


def test_what_a_process_uses_while_it_waits_is_of_no_request() -> None:
    """Four seconds at a tenth of a processor are nobody's; the rest is shared by the requests."""
    idle = (Reading(at=0, seconds={"me": 1.0}), Reading(at=10, seconds={"me": 2.0}))
    busy = (Reading(at=20, seconds={"me": 3.0}), Reading(at=24, seconds={"me": 4.4}))
    (used,) = usage({"me": _own_pid()}, idle=idle, busy=busy, n=10).values()

    assert used.cpu_ms == 100
    assert used.rss_mb > 1


def test_on_vfs_nothing_is_measured() -> None:
    """It copies whole file systems: its times would hide all others."""
    refuse_unfit({"Driver": "overlay2"})
    with pytest.raises(UnfitEngineError, match="vfs"):
        refuse_unfit({"Driver": "vfs"})


@pytest.mark.parametrize(("share", "expected"), [(0.5, 3), (0.95, 4), (0.0, 1)])
def test_a_percentile_is_one_of_the_values(share: float, expected: int) -> None:
    """No figure is told that was never measured."""
    assert percentile([4, 1, 3, 2], share) == expected


def _own_pid() -> int:
    return int(Path("/proc/self").resolve().name)

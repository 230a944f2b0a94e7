"""When do the seal keys of two processes fit, and what is said when they do not?"""

from __future__ import annotations

import pytest

from workflows.model.hosts import poller_identity
from workflows.model.seal import SealKeys
from workflows.model.seal_fit import CONTROL_WORKER, SealFit, docker_worker, misfits, seal_fit

_OLD, _NEW, _THIRD = ("o" * 32,), ("n" * 32,), ("t" * 32,)


def _print(*keys: tuple[str, ...]) -> str:
    return SealKeys(tuple(key for one in keys for key in one)).fingerprint


@pytest.mark.parametrize(
    ("ours", "theirs", "fit"),
    [
        ("", "", SealFit.FITS),
        (_print(_OLD), _print(_OLD), SealFit.FITS),
        # A key is replaced: first each gets to know the new one, then it seals, then the old goes.
        (_print(_OLD), _print(_OLD, _NEW), SealFit.FITS),
        (_print(_OLD, _NEW), _print(_NEW, _OLD), SealFit.FITS),
        (_print(_NEW, _OLD), _print(_NEW), SealFit.FITS),
        (_print(_OLD), _print(_NEW, _OLD), SealFit.OTHER),
        (_print(_OLD, _NEW), _print(_NEW, _THIRD), SealFit.OTHER),
        (_print(_OLD), _print(_NEW), SealFit.OTHER),
        ("", _print(_NEW), SealFit.OURS_MISSING),
        (_print(_NEW, _OLD), "", SealFit.THEIRS_MISSING),
    ],
)
def test_each_must_know_what_the_other_seals_with(ours: str, theirs: str, fit: SealFit) -> None:
    """And it is the same seen from the other side."""
    mirrored = {
        SealFit.OURS_MISSING: SealFit.THEIRS_MISSING,
        SealFit.THEIRS_MISSING: SealFit.OURS_MISSING,
    }
    assert seal_fit(ours, theirs) is fit
    assert seal_fit(theirs, ours) is mirrored.get(fit, fit)


def test_each_side_is_named_once() -> None:
    """Two workers of one host that are set up alike are one line, and no key is in it."""
    new, old = _print(_NEW), _print(_OLD)
    told = {
        CONTROL_WORKER: [poller_identity("1@a", book="b00c", seal=new)],
        docker_worker("edge"): [poller_identity(f"{n}@b", "ENGINE", seal=old) for n in (1, 2)],
        docker_worker("west"): [poller_identity("3@c", "ENGINE2")],
    }
    same = "set the same DOCKWARDEN_SEAL_KEY for both"
    edge = f"the docker worker of edge has another seal key ({old}) than this process ({new})"
    west = f"the docker worker of west has no seal key, and this process has one ({new})"
    assert misfits(new, told) == (f"{edge}: {same}", f"{west}: {same}")
    control = f"the control worker has a seal key ({new}), and this process has none"
    assert misfits("", told)[0] == f"{control}: {same}"

"""Which groups of tests can run on this machine; the others are left out by name, and the last lines say so."""

import signal
from collections import Counter
from collections.abc import Iterator
from zlib import crc32

import pytest

from analyzer.decode import batch
from analyzer.kernel import compiled
from analyzer.link import sorting
from analyzer.read import walk
from tests.needs import GROUPS, why_not

HEAVY = ("live", "browser", "sweep")
"""Markers of tests of which one at a time runs: what they need is there once, or they take a processor for long."""
LIGHT = ("light-1", "light-2", "light-3", "light-4")
"""All the others, file by file."""
LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    ``--complete``: a program that is missing is a failure, as where the lists say all that is needed.

    ``--share``: what tests/both runs beside each other.
    """
    parser.addoption("--complete", action="store_true", help="fail if a group of tests lacks what it needs")
    parser.addoption(
        "--share", choices=("heavy", *LIGHT), help="only tests that need the machine's parts, or some of the others"
    )


def pytest_configure() -> None:
    """Let programs that tests start be interrupted, also where a shell runs the tests in its background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the groups that cannot run here, and what others run."""
    share = config.getoption("--share")
    if share is not None:
        items[:] = [item for item in items if _share(item) == share]
    reasons = {group: reason for group in GROUPS if (reason := why_not(group)) is not None}
    left_out = config.stash[LEFT_OUT] = Counter()
    for item in items:
        for group, reason in reasons.items():
            if item.get_closest_marker(group) is not None:
                item.add_marker(pytest.mark.skip(reason=f"{group}: {reason}"))
                left_out[group] += 1
                break
    lacking = sorted(set(left_out) - {"corpus"})
    if lacking and config.getoption("--complete"):
        raise pytest.UsageError("; ".join(f"{group}: {reasons[group]}" for group in lacking))


def _share(item: pytest.Item) -> str:
    if any(item.get_closest_marker(name) for name in HEAVY):
        return "heavy"
    return LIGHT[crc32(item.nodeid.partition("::")[0].encode()) % len(LIGHT)]


@pytest.fixture(params=["compiled", "not compiled"], scope="module")
def either_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Find records, decode frames and group rows by what is compiled, and without it."""
    if request.param == "compiled" and compiled is None:
        pytest.skip("nothing is compiled here")
    with pytest.MonkeyPatch.context() as patch:
        for module in (walk, batch, sorting) if request.param == "not compiled" else ():
            patch.setattr(module, "compiled", None)
        yield


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Name the groups that did not run: the last thing that is read."""
    for group, count in sorted(config.stash.get(LEFT_OUT, Counter()).items()):
        print(f"did not run: {count} {group} tests: {why_not(group)}")

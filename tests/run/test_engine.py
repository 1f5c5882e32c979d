"""Who does the work: results come in the order of items, whoever dies meanwhile, and mistakes are told."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.decode.digest import KEYS
from analyzer.errors import InputError, OutputError, ToolError
from analyzer.run import engine as module
from analyzer.run.engine import Cluster, Engine, Inline, Processes, start


@pytest.fixture(params=["inline", "processes", "dask"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Each of them."""
    jobs, scheduler = {"inline": (1, None), "processes": (2, None), "dask": (2, "local")}[request.param]
    found = start(jobs, scheduler, str(tmp_path))
    yield found
    found.close()


def _late(common: int, item: int) -> tuple[int, int]:
    time.sleep(0.05 * (item == 0))
    return common, item


def test_results_are_in_order(engine: Engine) -> None:
    """Although the first one takes longest; what is common, all have."""
    assert list(engine.map(_late, 7, range(9))) == [(7, item) for item in range(9)]
    assert list(engine.map(_late, 8, [])) == []


def _keys(common: None, item: int) -> object:
    return KEYS.get()


def test_all_have_the_keys_of_the_run(engine: Engine) -> None:
    """Digests of one and the other are the same."""
    assert list(engine.map(_keys, None, range(3))) == [KEYS.get()] * 3


def _refuses(common: None, item: int) -> int:
    raise InputError("it cannot be")


def test_what_goes_wrong_is_told(engine: Engine) -> None:
    """As it would be here."""
    with pytest.raises(InputError, match="it cannot be"):
        list(engine.map(_refuses, None, [1]))


def _dies_once(folder: str, item: int) -> int:
    mark = Path(folder) / "died"
    if item == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_a_worker_that_is_killed(tmp_path: Path) -> None:
    """What it did is done again."""
    (work := tmp_path / "work").mkdir()
    engine = Processes(2, str(work))

    assert list(engine.map(_dies_once, str(tmp_path), range(6))) == list(range(6))
    assert list(work.iterdir()) == []
    engine.close()


def test_a_worker_of_a_cluster_that_is_killed(tmp_path: Path) -> None:
    """Likewise."""
    (work := tmp_path / "work").mkdir()
    engine = Cluster("local", 2, str(work))

    assert list(engine.map(_dies_once, str(tmp_path), range(6))) == list(range(6))
    engine.close()


def _always_dies(common: None, item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_workers_that_die_whatever_is_done(tmp_path: Path) -> None:
    """It is said that there may be too little memory."""
    engine = Processes(2, str(tmp_path))
    with pytest.raises(OutputError, match="workers died 4 times: there may be too little memory for --jobs 2"):
        list(engine.map(_always_dies, None, range(3)))
    engine.close()


def test_no_scheduler_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line says so."""
    monkeypatch.setattr(module, "PATIENCE_S", 0.5)
    with pytest.raises(ToolError, match=r"--scheduler tcp://127\.0\.0\.1:9"):
        Cluster("tcp://127.0.0.1:9", 1, str(tmp_path))


def test_a_worker_that_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both versions are named."""
    monkeypatch.setattr(module, "_looks", _looks_old)
    with pytest.raises(ToolError, match=r"has hoptrace 0\.0, here is hoptrace"):
        Cluster("local", 1, str(tmp_path))


def _looks_old(path: str) -> tuple[bool, str]:
    return True, "hoptrace 0.0"


def test_a_worker_that_does_not_see_the_work_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what to do."""
    monkeypatch.setattr(module, "_looks", _looks_in_vain)
    with pytest.raises(ToolError, match="does not see the work directory; --work-dir names a folder that all share"):
        Cluster("local", 1, str(tmp_path))


def _looks_in_vain(path: str) -> tuple[bool, str]:
    return False, module._versions()


def test_without_dask_a_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolError, match=r"pip install 'hoptrace\[cluster\]'"):
        Cluster("local", 1, str(tmp_path))


def test_nothing_is_started_for_one() -> None:
    """Nor where there is no work directory."""
    assert isinstance(start(1, None, None), Inline)
    assert isinstance(start(2, None, None), Inline)

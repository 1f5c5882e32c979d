"""Who does the work of a stage: this process, several of this machine, or those of a Dask cluster.

A stage is a function of what all its tasks have in common and of what one is about; its result is small, and what is
large it leaves in files of the work directory. So any task may be done again, by whoever is there.
"""

import multiprocessing
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any, Protocol, TypeVar

import numpy as np

from analyzer.decode.digest import KEYS
from analyzer.errors import HoptraceError, OutputError, ToolError
from analyzer.process import give_back, suit_columns
from analyzer.read.kept import lost
from analyzer.read.stored import is_remote, open_stored
from analyzer.read.written import is_there, new_path, remove, writing

C = TypeVar("C")
T = TypeVar("T")
R = TypeVar("R")
LOCAL = "local"
"""In place of a scheduler's address: a cluster on this machine."""
PATIENCE_S = 10
TRIES = 4
"""How often workers may die before nobody believes any more that it is chance."""


class Engine(Protocol):
    """Does tasks."""

    @property
    def workers(self) -> int:
        """How many are done at a time."""

    def map(self, stage: Callable[[C, T], R], common: C, items: Sequence[T]) -> Iterator[R]:
        """Give the results of *stage* for each of *items*, in their order."""

    def close(self) -> None:
        """End what was started."""


class Inline:
    """One task after the other, in this process."""

    workers = 1

    def map(self, stage: Callable[[C, T], R], common: C, items: Sequence[T]) -> Iterator[R]:
        """Give the results of *stage* for each of *items*, in their order."""
        return (stage(common, item) for item in items)

    def close(self) -> None:
        """Nothing was started."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Another engine, of which somebody hears how far it is."""

    engine: Engine
    hears: Callable[[str, int, int], None]
    """Told a stage's name, and how many of its tasks are done of how many."""

    @property
    def workers(self) -> int:
        """How many tasks are done at a time."""
        return self.engine.workers

    def map(self, stage: Callable[[C, T], R], common: C, items: Sequence[T]) -> Iterator[R]:
        """Give the results of *stage* for each of *items*, in their order."""
        for done, found in enumerate(self.engine.map(stage, common, items), 1):
            self.hears(stage.__name__, done, len(items))
            yield found

    def close(self) -> None:
        """End what was started."""
        self.engine.close()


class Processes:
    """Several processes of this machine."""

    def __init__(self, workers: int, folder: str, *, tight: bool = False) -> None:
        """Use so many *workers*; what tasks have in common lies in *folder*. *tight* tells that memory is a bound."""
        self.workers, self._folder, self._tight = workers, folder, tight
        self._pool: ProcessPoolExecutor | None = None

    def map(self, stage: Callable[[C, T], R], common: C, items: Sequence[T]) -> Iterator[R]:
        """
        Give the results of *stage* for each of *items*, in their order.

        Those that had a worker that died are done again.

        Raises:
            OutputError: workers die whatever is done.
        """
        path = keep_common(common, self._folder)
        at, tries, found = 0, 0, dict[int, R]()
        while at < len(items):
            waiting: dict[int, Future[R]] = {}
            try:
                for place in range(at, len(items)):
                    if place not in found:
                        waiting[place] = self._started().submit(_run, stage, path, items[place])
                while at < len(items):
                    yield found.pop(at) if at in found else waiting.pop(at).result()
                    at += 1
            except BrokenProcessPool:  # somebody was killed: what was not done is done again
                self.close()
                found |= {place: one.result() for place, one in waiting.items() if one.done() and not one.exception()}
                tries += 1
                if tries == TRIES:
                    why = f"workers died {TRIES} times: there may be too little memory for --jobs {self.workers}"
                    raise OutputError(why) from None
        remove(path)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # A process with threads cannot be forked safely, and obstore has some that nobody sees. A server that forks
            # would have the environment, and with it the keys of stores, that was there when it was started.
            alone = threading.active_count() == 1 and "obstore" not in sys.modules
            how = "fork" if alone else "spawn"
            context = multiprocessing.get_context(how)
            self._pool = ProcessPoolExecutor(self.workers, context, _begin, (self._tight,))
        return self._pool

    def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


class Cluster:
    """The workers of a Dask cluster, which see the same work directory; or as many of its own on this machine."""

    def __init__(self, address: str, workers: int, folder: str) -> None:
        """
        Connect to a scheduler, or start one, if *address* is ``local``.

        Raises:
            ToolError: it is not there, or its workers are others than they should be.
        """
        distributed = _dask()
        self._folder, self._own = folder, None
        try:
            if address == LOCAL:
                self._own = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    local_directory=None if is_remote(folder) else folder,
                    dashboard_address=None,
                )
            self._client = distributed.Client(self._own or address, timeout=PATIENCE_S)
        except (OSError, TimeoutError, ValueError) as error:
            raise ToolError(f"--scheduler {address}: {error}") from None
        try:
            self.workers = self._checked(address)
        except ToolError:
            self.close()
            raise

    def _checked(self, address: str) -> int:
        """Return how many workers there are, all of which can do what is asked of them."""
        token = new_path(self._folder)
        with writing(token) as file:
            file.write(b"")
        try:
            found: dict[str, tuple[bool, str]] = self._client.run(_looks, token, on_error="return")
        finally:
            remove(token)
        if not found:
            raise ToolError(f"--scheduler {address}: it has no workers")
        for worker, told in found.items():
            if not isinstance(told, tuple):
                raise ToolError(f"--scheduler {address}: {worker} cannot work for hoptrace: {told}")
            sees, versions = told
            if versions != _versions():
                raise ToolError(f"--scheduler {address}: {worker} has {versions}, here is {_versions()}")
            if not sees:
                why = "does not see the work directory; --work-dir names a folder that all share"
                raise ToolError(f"--scheduler {address}: {worker} {why}: {self._folder}")
        return len(found)

    def map(self, stage: Callable[[C, T], R], common: C, items: Sequence[T]) -> Iterator[R]:
        """
        Give the results of *stage* for each of *items*, in their order.

        Raises:
            ToolError: the cluster went away, or workers die whatever is done.
        """
        path = keep_common(common, self._folder)
        waiting = self._client.map(partial(_run, stage, path), items, pure=False)
        for future in waiting:
            try:
                yield future.result()
            except HoptraceError:
                raise
            except Exception as error:
                raise ToolError(f"the cluster failed: {type(error).__name__}: {error}") from None
            future.release()
        remove(path)

    def close(self) -> None:
        """Leave the cluster, and end it if it is of one's own."""
        self._client.close()
        if self._own is not None:
            self._own.close()


def _dask() -> Any:
    """
    Import what a cluster needs, which is installed only by those who want one.

    Raises:
        ToolError: it is not installed.
    """
    try:
        import distributed  # noqa: PLC0415
    except ImportError:
        raise ToolError("--scheduler needs Dask: pip install 'hoptrace[cluster]'") from None
    return distributed


def _versions() -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"hoptrace {version('hoptrace')}, Python {python}, NumPy {np.__version__}"


def _looks(path: str) -> tuple[bool, str]:
    """Tell of a worker whether it sees a file, and what it runs."""
    return is_there(path), _versions()


def start(jobs: int, scheduler: str | None, folder: str | None, *, tight: bool = False) -> Engine:
    """
    Return who does the work: *jobs* processes, or a *scheduler*'s workers; what they exchange lies in *folder*.

    *tight* tells that not all fits into memory.

    Raises:
        ToolError: the scheduler cannot be used.
    """
    if folder is None:
        return Inline()
    if scheduler is not None:
        return Cluster(scheduler, jobs, folder)
    return Processes(jobs, folder, tight=tight) if jobs > 1 else Inline()


def keep_common(common: object, folder: str) -> str:
    """Write what tasks have in common, and the keys of this run, to a file; return its path."""
    path = new_path(folder)
    try:
        with writing(path) as file:
            file.write(pickle.dumps((KEYS.get(), common), protocol=pickle.HIGHEST_PROTOCOL))
    except OSError as error:
        raise lost(path, error) from None
    return path


@lru_cache(maxsize=1)
def _read_common(path: str) -> Any:
    try:
        with open_stored(path) as file:
            return pickle.load(file)
    except OSError as error:
        raise lost(path, error) from None


def _run(stage: Callable[[Any, T], R], path: str, item: T) -> R:
    keys, common = _read_common(path)
    KEYS.set(keys)  # of the run that this is for
    return stage(common, item)


def _begin(tight: bool) -> None:
    """Prepare a worker: whoever presses Ctrl+C means the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    suit_columns()
    if tight:
        give_back()

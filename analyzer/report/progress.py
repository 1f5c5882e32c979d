"""A progress line on stderr, where that is a terminal; nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

REFRESH_S = 0.1
STAGES = {
    "ballots": "voting", "group": "grouping", "order": "grouping", "_says": "looking around", "_explain": "explaining",
    "_explain_with": "explaining", "_journeys": "telling", "_decisions": "telling", "_connections": "telling",
}  # fmt: skip
"""What stages are called; others deal frames to those that go on with them."""
OTHER = "dealing"


@dataclass(frozen=True, slots=True)
class Hears:
    """What is told how far an analysis is."""

    reading: Callable[[int, int, int], None]
    """Frames, and bytes read of how many."""
    stage: Callable[[str, int, int], None]
    """A stage, and how many of its tasks are done of how many."""


@contextmanager
def progress(*, wanted: bool = True) -> Iterator[Hears | None]:
    """Give what is to be told how far it is; None if nobody would see it, or wants to."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    # Refreshed here, not by a thread: a process with threads cannot be forked safely, and workers may be wanted.
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("reading", total=None, told="")
        shown, now_at, frames_read = 0.0, "reading", 0

        def show(description: str, done: int, total: int, told: str) -> None:
            nonlocal shown, now_at
            now = bar.get_time()
            if now - shown < REFRESH_S and done < total:
                return
            shown = now
            if description != now_at:
                bar.reset(task)
                now_at = description
            bar.update(task, description=description, completed=done, total=total, told=told, refresh=True)

        def reading(frames: int, done: int, total: int) -> None:
            nonlocal frames_read
            frames_read = frames
            rate = int(frames / max(bar.tasks[0].elapsed or 0.0, 0.001))
            stage = "reading" if done < total else "correlating"
            show(stage, done, total, f"{frames:,} frames, {rate:,} a second")

        def stage(name: str, done: int, total: int) -> None:
            if total > 1:
                told = f"{frames_read:,} frames, {done} of {total} parts"
                show(STAGES.get(name, OTHER), done, total, told)

        yield Hears(reading, stage)

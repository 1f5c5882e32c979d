"""A progress line on stderr, where that is a terminal; nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

REFRESH_S = 0.1


@contextmanager
def progress() -> Iterator[Callable[[int, int, int], None] | None]:
    """Give what is to be told frames, bytes read, and bytes to read; None if nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[frames]:,} frames, {task.fields[rate]:,} a second"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    # Refreshed here, not by a thread: a process with threads cannot be forked safely, and workers may be wanted.
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("reading", total=None, frames=0, rate=0)
        shown = 0.0

        def told(frames: int, done: int, total: int) -> None:
            nonlocal shown
            now = bar.get_time()
            if now - shown < REFRESH_S and done < total:
                return
            shown = now
            rate = int(frames / max(bar.tasks[0].elapsed or 0.0, 0.001))
            stage = "reading" if done < total else "correlating"
            bar.update(task, description=stage, completed=done, total=total, frames=frames, rate=rate, refresh=True)

        yield told

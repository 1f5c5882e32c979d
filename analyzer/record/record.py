"""Records a bundle on a live host: captures, the host's state before and after, and what happened meanwhile.

Everything that can fail for want of a permission or a program fails before the bundle is made. From then on, whatever
fails is told and costs nothing but itself: the manifest is there from the start, and says how far the recording came.
"""

import re
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from analyzer.errors import InputError, OutputError, ToolError
from analyzer.read.manifest import Manifest, RecordedPoint
from analyzer.record.choose import present
from analyzer.record.collect import TIME_S, collect
from analyzer.record.drops import COMMAND, FILE
from analyzer.record.dumps import EVENTS
from analyzer.record.engines import DOCKER
from analyzer.record.feed import Feed
from analyzer.record.inside import Running
from analyzer.record.ledger import Ledger
from analyzer.record.machine import Deadline, Machine
from analyzer.record.stop import Stop
from analyzer.record.targets import Found
from analyzer.record.tcpdump import Capture, Options

POLL_S = 0.05
GRACE_S = 0.3
"""After the command has ended, for answers that are still under way."""
COMMAND_STOP_S = 10
VERSIONS_S = 5
NOT_FOUND = 127
UNUSABLE = re.compile(r"not up|no such device|went down|disappeared", re.IGNORECASE)
"""What tcpdump says of an interface that is down, or gone: it ends one point, never the whole."""


@dataclass(frozen=True, slots=True)
class Until:
    """When a recording ends; whatever comes first, or a signal."""

    command: tuple[str, ...] = ()
    duration_s: float | None = None


def record(
    machine: Machine,
    points: Sequence[Found],
    options: Options,
    folder: Path,
    until: Until,
    told: Callable[[str], None],
    stop: Stop,
    problems: Sequence[str] = (),
    *,
    goes_on: Callable[[str], None] | None = None,
    drops: bool = False,
    spaces: Sequence[Running] = (),
) -> Manifest:
    """
    Record into a new *folder*.

    Args:
        machine: where.
        points: what to capture.
        options: of all captures.
        folder: must not be there yet.
        until: when to stop.
        told: hears, in a line, when captures run and when they end.
        stop: ends it early.
        problems: what cannot be captured, and why, as is known before.
        goes_on: hears once a second, in a line, how much was captured so far.
        drops: ask the kernel, too, what it drops, and why.
        spaces: namespaces of no engine, whose state is recorded, too.

    Returns:
        The manifest as it stands in the folder, or as it would if the disk had room for it.

    Raises:
        ToolError: a capture cannot be started; then nothing was made.
        InputError: *folder* is there already.
        OutputError: it cannot be made.
        KeyboardInterrupt: *stop* was asked for before anything was recorded.
    """
    say = _heedless(told)
    versions = _versions(machine)
    with ExitStack() as stack:
        captures, unusable = _start(machine, points, options, stop, stack)
        points = [found for found in points if found.target.name not in unusable]
        _make(folder)
        ledger = Ledger(
            folder,
            Manifest(
                started_ns=time.time_ns(),
                stopped_ns=None,
                host=machine.run("hostname").out.strip(),
                snap_len=options.snap_len,
                filter=options.filter,
                command=until.command,
                versions=versions,
                points=tuple(found.point for found in points),
            ),
        )
        stack.callback(ledger.give_room)
        ledger.problems([*problems, *(f"{name}: {reason}" for name, reason in unusable.items())])
        for capture, found in zip(captures, points, strict=True):
            capture.write_to(folder / found.point.file)
        feeds = [Feed(machine, folder / "conntrack-events.txt", "conntrack", "-E", "-o", "timestamp,extended,id")]
        if DOCKER.name in versions:
            feeds.append(Feed(machine, folder / "docker-events.json", *EVENTS))
        if drops:
            feeds.append(Feed(machine, folder / FILE, *COMMAND))
        stack.callback(_end, feeds)
        chosen = [found.point.container for found in points if found.point.container is not None]
        state = partial(collect, machine, first=chosen, spaces=spaces, by_engine=len(set(chosen)) > len(spaces))
        ledger.problems(state(folder / "host-before", Deadline(TIME_S, lambda: stop.asked)))
        say("capturing at " + ", ".join(f"{f.target.name} ({f.target.interface})" for f in points))
        try:
            ledger.update(exit_code=_wait(machine, until, captures, say, stop, ledger, goes_on))
        finally:
            stopped_ns = time.time_ns()
            _end(captures)
            ended = (_ended(found.point, capture) for found, capture in zip(points, captures, strict=True))
            ledger.update(stopped_ns=stopped_ns, points=tuple(ended))
        ledger.give_room()
        ledger.problems(state(folder / "host", Deadline(TIME_S, lambda: stop.urgent)))
        _end(feeds)
        ledger.problems(feed.problem for feed in feeds if feed.problem is not None)
    if ledger.failed is not None:
        say(ledger.failed)
    return ledger.manifest


def _make(folder: Path) -> None:
    """
    Make the folder of a recording.

    Raises:
        InputError: it is there already.
        OutputError: it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        raise InputError(f"{folder}: is there already; a recording has a folder of its own") from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None


def _heedless(told: Callable[[str], None]) -> Callable[[str], None]:
    """Tell what can be told: a terminal that is gone ends no recording."""

    def say(line: str) -> None:
        with suppress(OSError, ValueError):
            told(line)

    return say


def _start(
    machine: Machine, points: Sequence[Found], options: Options, stop: Stop, stack: ExitStack
) -> tuple[list[Capture], dict[str, str]]:
    """
    Start all captures; they end with *stack* at the latest.

    Returns:
        Those that run, and why others do not, by point: of an interface that is down there is nothing to capture.
    """
    captures: list[Capture] = []
    stack.callback(lambda: _end(captures))
    for found in points:
        captures.append(Capture(machine, found.target, options))  # noqa: PERF401 - all so far must be stopped
    unusable: dict[str, str] = {}
    for capture in list(captures):
        try:
            capture.wait_ready(lambda: stop.asked)
        except ToolError as error:
            if not UNUSABLE.search(str(error)) or len(captures) == 1:
                raise
            unusable[capture.target.name] = str(error)
            captures.remove(capture)
    if stop.asked:
        raise KeyboardInterrupt
    return captures, unusable


def _end(running: Iterable[Capture | Feed]) -> None:
    """End everything at once."""
    several = list(running)
    for one in several:
        one.end()
    for one in several:
        one.wait()


def _wait(
    machine: Machine,
    until: Until,
    captures: Sequence[Capture],
    say: Callable[[str], None],
    stop: Stop,
    ledger: Ledger,
    goes_on: Callable[[str], None] | None = None,
) -> int | None:
    """Wait for the end; return the command's exit code, None without a command."""
    begun = shown = time.monotonic()
    deadline = None if until.duration_s is None else begun + until.duration_s
    process: subprocess.Popen[bytes] | None = None
    running = set(range(len(captures)))
    if until.command:
        try:
            process = subprocess.Popen(machine.wrap(until.command))
        except (OSError, ValueError) as error:
            say(f"{until.command[0]}: {getattr(error, 'strerror', None) or error}")
            return NOT_FOUND
    elif deadline is None:
        say("Ctrl-C ends it")
    while process is None or process.poll() is None:
        for number in sorted(running):
            if (capture := captures[number]).ended is not None:
                running.discard(number)
                say(f"{capture.target.name}: {capture.ended}; the others go on")
                ledger.update_point(number, partial(_ended, capture=capture))
        complete = any(capture.ended == "complete" for capture in captures)
        if goes_on is not None and time.monotonic() >= shown:
            shown += 1
            frames = (f"{one.target.name} {one.counted.frames:,}" for one in captures)
            goes_on(f"{time.monotonic() - begun:.0f} s, frames: {', '.join(frames)}")
        late = deadline is not None and time.monotonic() >= deadline
        if late and process is not None:
            say(f"time is up, so {until.command[0]} is ended")
        if complete or not running or late:
            break
        if stop.wait(POLL_S):
            say("stopping")
            break
    return _end_of(process, stop) if process is not None else None


def _end_of(process: "subprocess.Popen[bytes]", stop: Stop) -> int:
    """End the command if it runs still; return its exit code, as a shell has it."""
    with suppress(OSError):
        if process.poll() is None:
            process.terminate()
    deadline = Deadline(COMMAND_STOP_S, lambda: stop.urgent)
    while process.poll() is None and deadline.left_s:
        time.sleep(POLL_S)
    if process.poll() is None:
        process.kill()
    code = process.wait()
    time.sleep(GRACE_S)
    return code if code >= 0 else 128 - code


def _ended(point: RecordedPoint, capture: Capture) -> RecordedPoint:
    ended = None if capture.ended == "complete" else capture.ended
    return replace(point, ended=ended, ended_ns=capture.ended_ns if ended else None, dropped=capture.dropped)


def _versions(machine: Machine) -> dict[str, str]:
    kernel = machine.run("uname", "-r", timeout=VERSIONS_S)
    tcpdump = machine.run("tcpdump", "--version", timeout=VERSIONS_S)
    found = {"kernel": kernel.out.strip()}
    for one in present(machine):
        done = machine.run(one.name, *one.tells, timeout=VERSIONS_S)
        found[one.name] = "" if done.code else one.version(done.out)
    found["tcpdump"] = (tcpdump.out.strip() or tcpdump.err.strip()).partition("\n")[0]
    return {name: version for name, version in found.items() if version}

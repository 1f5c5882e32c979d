"""Records a bundle on a live host: captures, the host's state before and after, and what happened meanwhile.

Everything that can fail for want of a permission or a program fails before the bundle is made.
"""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.errors import InputError, OutputError, ToolError
from analyzer.read.manifest import Manifest, RecordedPoint, write_manifest
from analyzer.record.collect import collect, save
from analyzer.record.feed import Feed
from analyzer.record.machine import Machine
from analyzer.record.targets import Found
from analyzer.record.tcpdump import Capture, Options

POLL_S = 0.05
GRACE_S = 0.3
"""After the command has ended, for answers that are still under way."""
COMMAND_STOP_S = 10
NOT_FOUND = 127


@dataclass(frozen=True, slots=True)
class Until:
    """When a recording ends; whatever comes first, or Ctrl-C."""

    command: tuple[str, ...] = ()
    duration_s: float | None = None


def check_rights(machine: Machine) -> None:
    """
    Make sure that capturing is possible.

    Raises:
        ToolError: a program is missing, Docker does not answer; with what helps.
    """
    machine.need("tcpdump", "ip", "docker")
    done = machine.run("docker", "version", "--format", "{{.Server.Version}}")
    if done.code:
        hint = ": needs root, or membership of the group docker" if "denied" in done.err else ""
        raise ToolError(f"docker on {machine.name}: {done.reason}{hint}")


def record(
    machine: Machine,
    points: Sequence[Found],
    options: Options,
    folder: Path,
    until: Until,
    told: Callable[[str], None],
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

    Raises:
        ToolError: a capture cannot be started; then nothing was made.
        InputError: *folder* is there already.
        OutputError: it cannot be made.
    """
    captures: list[Capture] = []
    feeds: list[Feed] = []
    started = stopped = 0
    exit_code: int | None = None
    problems: list[str] = []
    try:
        for found in points:
            captures.append(Capture(machine, found.target, options))  # noqa: PERF401 - all so far must be stopped
        for capture in captures:
            capture.wait_ready()
        _make(folder)
        for capture, found in zip(captures, points, strict=True):
            capture.write_to(folder / found.point.file)
        feeds.append(Feed(machine, folder / "conntrack-events.txt", "conntrack", "-E", "-o", "timestamp,extended,id"))
        feeds.append(Feed(machine, folder / "docker-events.json", "docker", "events", "--format", "{{json .}}"))
        problems += save(collect(machine), folder / "host-before")
        started = time.time_ns()
        told("capturing at " + ", ".join(f"{f.target.name} ({f.target.interface})" for f in points))
        exit_code = _wait(machine, until, captures, told)
        stopped = time.time_ns()
    finally:
        _stop(captures, feeds)
    problems += save(collect(machine), folder / "host")
    problems += [feed.problem for feed in feeds if feed.problem is not None]
    manifest = Manifest(
        started_ns=started,
        stopped_ns=stopped,
        host=machine.run("hostname").out.strip(),
        snap_len=options.snap_len,
        filter=options.filter,
        command=until.command,
        exit_code=exit_code,
        versions=_versions(machine),
        points=tuple(_ended(found.point, capture) for found, capture in zip(points, captures, strict=True)),
        problems=tuple(problems),
    )
    write_manifest(folder, manifest)
    return manifest


def _make(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        raise InputError(f"{folder}: is there already; a recording has a folder of its own") from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None


def _wait(machine: Machine, until: Until, captures: Sequence[Capture], told: Callable[[str], None]) -> int | None:
    """Wait for the end; return the command's exit code, None without a command."""
    deadline = None if until.duration_s is None else time.monotonic() + until.duration_s
    process: subprocess.Popen[bytes] | None = None
    silent = {id(capture) for capture in captures}
    try:
        if until.command:
            try:
                process = subprocess.Popen(machine.wrap(until.command))
            except OSError as error:
                told(f"{until.command[0]}: {error.strerror}")
                return NOT_FOUND
        elif deadline is None:
            told("Ctrl-C ends it")
        while process is None or process.poll() is None:
            for capture in captures:
                if capture.ended is not None and id(capture) in silent:
                    silent.discard(id(capture))
                    told(f"{capture.target.name}: {capture.ended}; the others go on")
            complete = any(capture.ended == "complete" for capture in captures)
            if complete or not silent or (deadline is not None and time.monotonic() >= deadline):
                break
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        told("stopping")
    if process is None:
        return None
    try:
        if process.poll() is None:
            process.terminate()
        code = process.wait(COMMAND_STOP_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        code = process.wait()
    time.sleep(GRACE_S)
    return code if code >= 0 else 128 - code


def _stop(captures: Sequence[Capture], feeds: Sequence[Feed]) -> None:
    """Stop everything; a second Ctrl-C does not leave captures behind."""
    interrupted = False
    running: list[Capture | Feed] = [*captures, *feeds]
    for one in running:
        try:
            one.stop()
        except KeyboardInterrupt:
            interrupted = True
            one.stop()
    if interrupted:
        raise KeyboardInterrupt


def _ended(point: RecordedPoint, capture: Capture) -> RecordedPoint:
    ended = None if capture.ended == "complete" else capture.ended
    dropped = capture.counts.get("dropped by kernel")
    return replace(point, ended=ended, ended_ns=capture.ended_ns if ended else None, dropped=dropped)


def _versions(machine: Machine) -> dict[str, str]:
    found = {
        "kernel": machine.run("uname", "-r"),
        "docker": machine.run("docker", "version", "--format", "{{.Server.Version}}"),
        "tcpdump": machine.run("tcpdump", "--version"),
    }
    return {
        name: (done.out or done.err).strip().splitlines()[0] for name, done in found.items() if done.out or done.err
    }

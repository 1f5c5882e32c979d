"""The command that records: hoptrace capture."""

import shutil
import signal
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.cli import complete
from analyzer.cli.base import EXIT_UNREADABLE, examples, need_linux
from analyzer.cli.talk import StatusLine, complain, remark, talking
from analyzer.errors import InputError, OutputError, SelectionError

if TYPE_CHECKING:
    from analyzer.read.manifest import Manifest
    from analyzer.record.machine import Machine

NAMED = "hoptrace-%Y%m%d-%H%M%S"
"""What a bundle is called that nobody gave a name."""
EMPTY = 24
"""Bytes of a pcap without frames."""
MEBI = 1 << 20
FILES = (".pcap", ".pcapng", ".cap", ".zip", ".gz", ".tgz", ".tar", ".xz", ".bz2", ".zst", ".7z", ".html", ".json",
         ".ndjson", ".parquet")  # fmt: skip
"""Endings of names that no folder should have: whoever gives one wants such a file."""


@click.command(
    epilog=examples(
        "sudo hoptrace capture -c web -- docker exec web curl -m 5 http://db:5432/",
        "sudo hoptrace capture -c shop/web -c db -a duration:30 -o trouble.tar.zst",
        "sudo hoptrace capture --all --drops -f 'port 53'",
        "hoptrace capture --ssh root@dockerhost -c web -a packets:1000",
        "sudo hoptrace capture --netns pod1 -i eth0",
    )
)
@click.option(
    "-c", "--container", "containers", multiple=True, metavar="CONTAINER", shell_complete=complete.containers,
    help="Name or id; project, service or PROJECT/SERVICE of compose; may repeat.",
)  # fmt: skip
@click.option("--network", "networks", multiple=True, metavar="NETWORK", help="All containers on this network.")
@click.option("--all", "everything", is_flag=True, help="All containers that run.")
@click.option(
    "--engine", type=click.Choice(["docker", "podman", "nerdctl", "crictl"]), help="Ask this one; else all that answer."
)
@click.option("--netns", "spaces", multiple=True, metavar="NAME", help="A network namespace, as ip netns names it.")
@click.option("--pid", "pids", multiple=True, type=click.IntRange(1), help="The network namespace of a process.")
@click.option("--uplink", "uplinks", multiple=True, metavar="IF", help="Take this interface for an uplink, too.")
@click.option("-i", "--interface", "interfaces", multiple=True, metavar="IF", help="Capture at this interface, too.")
@click.option("--drops", is_flag=True, help="Ask the kernel, too, which packets it drops, where and why (tracepoints).")
@click.option("--inside", is_flag=True, help="Capture at the containers' own ends, too.")
@click.option(
    "-a",
    "--autostop",
    "autostops",
    multiple=True,
    metavar="duration:S|packets:N",
    help="Stop after so many seconds, or when a capture has so many packets; else Ctrl-C or the command's end does.",
)
@click.option("-f", "--filter", "capture_filter", default="", metavar="EXPR", help="Capture filter (pcap-filter(7)).")
@click.option(
    "-s", "--snapshot-length", "snap_len", default=256, show_default=True, type=click.IntRange(0, 262_144),
    metavar="BYTES", help="Bytes to keep of each frame; 0 for all.",
)  # fmt: skip
@click.option(
    "-o", "--output", "output", metavar="BUNDLE",
    help="New folder, or new file .tar.zst.  [default: hoptrace- and the time, here]",
)  # fmt: skip
@click.option(
    "--ssh", "target", metavar="HOST", help="Capture on HOST, by ssh; it needs tcpdump, iproute2 and the engine."
)
@click.option(
    "--reserve", default=512, show_default=True, type=click.IntRange(0), metavar="MIB", help="Disk to leave free."
)
@click.option("--no-analyze", is_flag=True, help="Only record.")
@talking
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def capture(
    containers: tuple[str, ...],
    networks: tuple[str, ...],
    everything: bool,
    engine: str | None,
    spaces: tuple[str, ...],
    pids: tuple[int, ...],
    uplinks: tuple[str, ...],
    interfaces: tuple[str, ...],
    drops: bool,
    inside: bool,
    autostops: tuple[str, ...],
    capture_filter: str,
    snap_len: int,
    output: str | None,
    target: str | None,
    reserve: int,
    no_analyze: bool,
    command: tuple[str, ...],
) -> None:
    """
    Record everything on the way of CONTAINERs' packets, and the host's state before and after.

    Captures the containers' veths, their bridges, the uplinks, and what else their packets pass; runs COMMAND
    meanwhile, with --ssh on HOST, or waits; then analyses. Nothing on the host is changed.
    """
    need_linux("capture", "let it record another host (--ssh HOST), or run it there", target)
    from analyzer.model import Role  # noqa: PLC0415
    from analyzer.read.manifest import PACKED  # noqa: PLC0415
    from analyzer.record.choose import choose, find_engines  # noqa: PLC0415
    from analyzer.record.inside import named  # noqa: PLC0415
    from analyzer.record.machine import Machine, Remote  # noqa: PLC0415
    from analyzer.record.record import Until, record  # noqa: PLC0415
    from analyzer.record.stop import Stop  # noqa: PLC0415
    from analyzer.record.targets import Finder  # noqa: PLC0415
    from analyzer.record.tcpdump import Options  # noqa: PLC0415

    by_engine = bool(containers or networks or everything)
    if not (by_engine or spaces or pids or interfaces or uplinks):
        raise click.UsageError(
            "give at least one container (-c), --network, --all, --netns, --pid or interface (-i)."
            + _running(Remote(target) if target is not None else Machine(), engine)
        )
    output = output or datetime.now().strftime(NAMED)
    named_spaces = named(spaces, pids)
    duration_s, packets = _autostops(autostops)
    path = Path(output)
    if not output.endswith(PACKED) and path.suffix.lower() in FILES:
        raise SelectionError(f"-o {output}: a bundle is a folder, or one file whose name ends in {PACKED}")
    if path.exists() or path.is_symlink():
        raise InputError(f"{output}: is there already; a recording has a name of its own")
    folder = Path(output.removesuffix(PACKED)) if output.endswith(PACKED) else path
    if folder != path and (folder.exists() or folder.is_symlink()):
        raise InputError(f"{folder}: is there already; the recording is kept there until {path.name} is complete")
    stop = Stop()
    with stop.heard():
        machine = Remote(target) if target is not None else Machine()
        machine.need("tcpdump", "ip")
        engines = find_engines(machine, engine) if by_engine else []
        finder = Finder(machine, inside=inside)
        for name in uplinks:
            finder.interface(name, Role.UPLINK)
        finder.containers(choose(machine, engines, containers, networks, everything=everything), named_spaces)
        for name in interfaces:
            finder.interface(name)
        for note in finder.notes:
            remark(note)
        options = Options(snap_len, capture_filter, packets, reserve * MEBI)
        until = Until(command, duration_s)
        with StatusLine() as status:
            manifest = record(
                machine, finder.found, options, folder, until, status.say, stop, finder.problems,
                goes_on=status.show if status.seen else None, drops=drops, spaces=named_spaces,
            )  # fmt: skip
        _tell_of_losses(manifest)
        _tell_of_nothing(manifest, folder)
    if folder != path:
        _pack(folder, path)
    if stop.number in (signal.SIGHUP, signal.SIGQUIT):
        sys.exit(128 + stop.number)  # nobody is there to read, or wants to
    if not no_analyze:
        _analyse(output)
    sys.exit(manifest.exit_code or 0)


def _autostops(texts: tuple[str, ...]) -> tuple[float | None, int | None]:
    duration_s: float | None = None
    packets: int | None = None
    for text in texts:
        kind, _, value = text.partition(":")
        with suppress(ValueError):
            if kind == "duration" and 0 < float(value) < float("inf"):
                duration_s = float(value)
                continue
            if kind == "packets" and int(value) > 0:
                packets = int(value)
                continue
        raise SelectionError(f"-a {text}: known are duration:SECONDS and packets:NUMBER")
    return duration_s, packets


def _pack(folder: Path, path: Path) -> None:
    """Make one file of the folder, which stays, and is named, where that cannot be done."""
    from analyzer.read.manifest import PACKED  # noqa: PLC0415
    from analyzer.record.pack import pack  # noqa: PLC0415
    from analyzer.report.write import whole_file  # noqa: PLC0415

    try:
        with whole_file(path) as temporary:
            pack(folder, path.name.removesuffix(PACKED), temporary)
    except OutputError as error:
        raise OutputError(f"{error}; what was recorded is in {folder}") from None
    except BaseException:
        complain(f"{path} was not made; what was recorded is in {folder}")
        raise
    with suppress(OSError):  # killed meanwhile, what is left of it passes for no recording
        folder = folder.rename(folder.with_name(f".{folder.name}.packed"))
    shutil.rmtree(folder, ignore_errors=True)


def _tell_of_losses(manifest: "Manifest") -> None:
    """Say what is not whole."""
    for point in manifest.points:
        if point.ended is not None:
            complain(f"{point.name}: ended: {point.ended}")
        if point.dropped:
            complain(f"{point.name}: the kernel dropped {point.dropped} frames")
    for problem in manifest.problems:
        complain(f"not recorded: {problem}")


def _tell_of_nothing(manifest: "Manifest", folder: Path) -> None:
    """Say what may be the reason where no point captured anything."""
    sizes = [(folder / point.file).stat().st_size for point in manifest.points if (folder / point.file).is_file()]
    if not sizes or max(sizes) > EMPTY:
        return
    complain("0 frames were captured at all points: nothing passed there meanwhile")
    if manifest.filter:
        complain(f"the filter “{manifest.filter}” may have left out what did: without -f all is kept")
    if not manifest.command:
        complain(
            "let it run while it happens, or give what makes it happen behind --, as in -- docker exec NAME COMMAND"
        )


def _running(machine: "Machine", engine: str | None) -> str:
    """Say what could be captured."""
    from analyzer.errors import ToolError  # noqa: PLC0415
    from analyzer.record.choose import MOST, find_engines  # noqa: PLC0415

    try:
        names = [name for one in find_engines(machine, engine) for name in one.running(machine)]
    except ToolError:
        return ""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f" These run: {', '.join(names[:MOST])}{more}; --all takes all of them." if names else " No container runs."


def _analyse(output: str) -> None:
    """Report on what was recorded; that it cannot be analysed does not undo the recording."""
    from analyzer.cli.analyze import analyze  # noqa: PLC0415

    try:
        click.get_current_context().invoke(analyze, paths=(output,))
    except InputError as error:
        complain(str(error))
        sys.exit(EXIT_UNREADABLE)

"""The command that opens an analysis in Wireshark."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click

from analyzer.cli import complete
from analyzer.cli.analyze import remark_damage
from analyzer.cli.base import EXIT_UNREADABLE, examples, find, input_options
from analyzer.cli.memory import Asked, memory_options
from analyzer.cli.talk import progress, remark, talking
from analyzer.errors import ToolError

FIELDS = Path(__file__).parents[1] / "report" / "wireshark" / "hoptrace.lua"
PROFILE = FIELDS.with_name("profile")
NAME = "hoptrace"
COLUMNS = (
    ("No.", "%m"), ("Time", "%t"), ("Point", "%Cus:frame.interface_name:0:R"), ("Journey", "%Cus:hoptrace.journey:0:R"),
    ("Hop", "%Cus:hoptrace.hop:0:R"), ("Source", "%s"), ("Destination", "%d"), ("Protocol", "%p"),
    ("Verdict", "%Cus:hoptrace.verdict:0:R"), ("Info", "%i"),
)  # fmt: skip
"""As Wireshark's preference gui.column.format has them."""


@click.command(
    "open",
    epilog=examples(
        "hoptrace open trouble/",
        "hoptrace open trouble/ -Y 'verdict == dropped'",
        "hoptrace open trouble/ --with tshark",
    ),
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=complete.files)
@input_options
@click.option(
    "-Y", "--select", "selection", metavar="EXPR", shell_complete=complete.selection,
    help="Only this: hoptrace fields says what can be asked.",
)  # fmt: skip
@click.option("--with", "program", default="wireshark", show_default=True, metavar="PROGRAM", help="Or tshark.")
@memory_options
@talking
def open_(
    paths: tuple[str, ...],
    host: str | None,
    unpack_limit: int | None,
    points: tuple[str, ...],
    selection: str | None,
    program: str,
    asked: Asked,
) -> None:
    """
    Open an analysis in Wireshark: all points in one, each frame with what is known of its packet.

    Comments say it, and the fields hoptrace.journey, hoptrace.hop, hoptrace.connection, hoptrace.nat, hoptrace.verdict
    and hoptrace.reason, to filter by. It is gone when PROGRAM ends: analyze -o FILE.pcapng makes one to keep. Colours,
    and that a packet at its second point is no retransmission, are a profile "hoptrace" among the user's own.
    """
    from analyzer.read.scratch import scratch  # noqa: PLC0415
    from analyzer.run import analyze_whole  # noqa: PLC0415
    from analyzer.run.outputs import put  # noqa: PLC0415

    viewer = shutil.which(program)
    if viewer is None:
        raise ToolError(
            f"{program} is not here: install it, or carry what hoptrace analyze -o FILE.pcapng writes to it"
        )
    with scratch() as folder:
        path = folder / "hoptrace.pcapng"
        with find(paths, host, points, unpack_limit) as prepared, progress() as hears:
            trace = analyze_whole(prepared, hears.reading if hears is not None else None, asked.means(prepared))
            remark_damage(trace)
            put(trace, "pcapng", path, selection)
        code = subprocess.run(view(viewer, path, with_profile()), check=False).returncode
        if code not in (0, -signal.SIGINT):
            remark(f"{program} ended with {code}; as root it may load no Lua, which has the fields")
    if prepared.inputs.named_unusable:
        sys.exit(EXIT_UNREADABLE)
    sys.exit(max(code, 0))


def with_profile() -> bool:
    """Put a profile with colouring rules beside the user's own, unless one is there; tell whether there is one."""
    folder = personal() / "profiles" / NAME
    try:
        if not folder.is_dir():
            shutil.copytree(PROFILE, folder)
            remark(f"Wireshark has a profile more: {folder}")
        return True
    except OSError:
        return False


def personal() -> Path:
    """Return Wireshark's personal configuration folder (get_persconffile_path() of its wsutil/filesystem.c)."""
    if told := os.environ.get("WIRESHARK_CONFIG_DIR"):
        return Path(told)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "~")).expanduser() / "Wireshark"
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "wireshark"


def view(viewer: str, path: Path, profile: bool = False) -> list[str]:
    """Return the command that shows *path*, with hoptrace's fields, columns and colours."""
    columns = ",".join(f'"{name}","{what}"' for name, what in COLUMNS)
    colours = ["-C", NAME] if profile else []
    return [viewer, *colours, "-X", f"lua_script:{FIELDS}", "-o", f"gui.column.format:{columns}", "-r", str(path)]

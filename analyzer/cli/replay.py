"""The command that asks a kernel: hoptrace replay."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.cli import complete
from analyzer.cli.analyze import remark_damage
from analyzer.cli.base import EXIT_FINDINGS, NAMESPACES, examples, find, input_options, need_linux
from analyzer.cli.memory import Asked, memory_options
from analyzer.cli.talk import paged, progress, remark, talking, verbose
from analyzer.errors import InputError, SelectionError

if TYPE_CHECKING:
    from analyzer.run import Trace


@click.command(epilog=examples("hoptrace replay trouble/", "hoptrace replay trouble/ J12 -v -o repro.sh"))
@click.argument("path", metavar="BUNDLE", shell_complete=complete.files)
@click.argument("journeys", nargs=-1, metavar="[JOURNEY]...")
@input_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("-o", "--output", metavar="FILE.sh", help="Write a script that builds the host and sends the packets.")
@click.option("--fail-on", type=click.Choice(("differs",)), help="Exit with 1 if an account differs from the kernel's.")
@memory_options
@talking
def replay(
    path: str,
    journeys: tuple[str, ...],
    host: str | None,
    unpack_limit: int | None,
    points: tuple[str, ...],
    as_json: bool,
    output: str | None,
    fail_on: str | None,
    asked: Asked,
) -> None:
    """
    Build the recorded host again in network namespaces, send packets in, and compare what the kernel does.

    Without JOURNEY (as J12), each connection's first packet is sent, and those that findings name. Needs no root where
    user namespaces are allowed; nothing of this machine is touched, and no packet leaves it. -v shows every rule that
    each packet met.
    """
    from analyzer.model.replay import Agreement  # noqa: PLC0415
    from analyzer.report import replay as told  # noqa: PLC0415
    from analyzer.report.write import write_lines  # noqa: PLC0415
    from analyzer.run import analyze_whole  # noqa: PLC0415

    need_linux("replay", NAMESPACES)
    if output is not None and Path(output).suffix != ".sh":
        raise SelectionError(f"-o {output}: unknown ending; a script's is .sh")
    with find((path,), host, points, unpack_limit) as prepared, progress() as hears:
        trace = analyze_whole(prepared, hears.reading if hears is not None else None, asked.means(prepared))
        remark_damage(trace)
        numbers = [_journey(trace, text) for text in journeys] or None
        found = trace.replay(numbers)
    if output is not None:
        write_lines(Path(output), [trace.replay_script()])
    if as_json:
        sys.stdout.write(told.as_json(found))
    else:
        with paged() as out:
            told.print_replay(out, found, verbose=verbose())
    for line in found.missing if as_json else ():
        remark(f"not built: {line}")
    if fail_on == "differs" and found.count(Agreement.DIFFERS):
        sys.exit(EXIT_FINDINGS)


@click.command(epilog=examples("hoptrace shell trouble/", "hoptrace shell trouble/ -c web"))
@click.argument("path", metavar="BUNDLE", shell_complete=complete.files)
@input_options
@click.option("-c", "--container", metavar="NAME", help="A shell in this container, not in the host.")
def shell(
    path: str, host: str | None, unpack_limit: int | None, points: tuple[str, ...], container: str | None
) -> None:
    """
    Open a shell in the recorded host, built again in network namespaces: ping, tcpdump, iptables -L -v.

    The world outside has every address and answers pings. All of it vanishes on exit.
    """
    need_linux("shell", NAMESPACES)
    from analyzer.model import Role  # noqa: PLC0415
    from analyzer.replay.shell import open_shell  # noqa: PLC0415

    with find((path,), host, points, unpack_limit) as prepared:
        states = prepared.hosts.states
        if not states:
            raise InputError(f"{path}: no dumps of a host's state are there")
        state = states[0]
        bridges = {network.name: network.bridge for network in state.networks}
        recorded = (spec.recorded for spec in prepared.inputs.specs if spec.recorded is not None)
        ports = {
            one.container: (one.interface, bridges.get(one.network or ""))
            for one in recorded
            if one.container is not None and one.interface is not None and one.role == Role.VETH
        }
    sys.exit(open_shell(state, container, ports))


def _journey(trace: "Trace", text: str) -> int:
    from analyzer.run.called import read_journey  # noqa: PLC0415

    number = read_journey(text)
    if number >= trace.packets:
        raise SelectionError(f"no journey J{number}; there are J0 to J{trace.packets - 1}")
    return number

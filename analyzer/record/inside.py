"""Records the state of network namespaces beside the host's, all dumps of several by one program.

They are those of containers, and of overlay networks.
"""

import re
import secrets
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from analyzer.errors import SelectionError, ToolError
from analyzer.model.engine import JOINED
from analyzer.record.dumps import Dump
from analyzer.record.machine import Deadline, Machine

MOST = 64
"""Containers whose namespaces are recorded."""
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
PATH = re.compile(r"/[\w./-]*")
NAMESPACES = "/var/run/docker/netns"
"""Where Docker has them, unless it was told otherwise (--exec-root)."""
NETNS_NAME = 10
"""Characters of an overlay network's id in the name of its namespace."""
PATHS = ("ResolvConfPath", "HostsPath")
FILES = ("resolv.conf", "hosts")
"""Docker's own files that containers see; never read by their own paths, which may lead elsewhere."""
SCRIPT = r"""
mark=$1
shift
daemons=$(pidof dockerd)
end() { printf '\n%s %s %s %s\n' "$mark" "$name" "$1" "$2"; }
for one in "$@"; do
    IFS=' ' read -r name where resolv hosts <<EOF
$one
EOF
    case $where in
    /*)
        for root in '' $(printf '/proc/%s/root ' $daemons); do
            [ -e "$root$where" ] && mark=$mark name=$name nsenter --net="$root$where" sh -c "$COMMANDS" && break
        done
        ;;
    *) mark=$mark name=$name nsenter -t "$where" -n sh -c "$COMMANDS" ;;
    esac
    for file in "$resolv" "$hosts"; do
        for root in '' $(printf '/proc/%s/root ' $daemons); do
            [ -f "$root$file" ] && cat "$root$file" && end "${file##*/}" 0 && break
        done
    done
done
"""


def entering(pid: int) -> tuple[str, ...]:
    """Return what runs a program in the network namespace of a process."""
    return "nsenter", "-t", str(pid), "-n"


@dataclass(frozen=True, slots=True)
class Running:
    """A container that runs, in a namespace of its own or in another one's."""

    name: str
    pid: int
    resolv: str
    hosts: str
    joined: bool = False
    """It was started in another one's namespace."""
    path: str = ""
    """Of the namespace, where no process leads to it: an overlay network's, which may not be there."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """What runs a program in it."""
        return ("nsenter", f"--net={self.path}") if self.path else entering(self.pid)

    @property
    def text(self) -> str:
        """As the script reads it."""
        return f"{self.name} {self.path or self.pid} {self.resolv} {self.hosts}"


NETNS = "/var/run/netns"
"""Where ip-netns(8) has namespaces by their names."""


def named(names: Sequence[str], pids: Sequence[int]) -> list[Running]:
    """
    Return namespaces that somebody names, as ``ip netns`` knows them, or by a process in them.

    Raises:
        SelectionError: it cannot be a name.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise SelectionError(f"--netns {name}: not a name that ip netns gives")
    return [
        *(Running(name, 0, "/", "/", path=f"{NETNS}/{name}") for name in names),
        *(Running(f"pid-{pid}", pid, "/", "/") for pid in pids),
    ]


def running(inspected: Any, first: Sequence[str] = ()) -> list[Running]:
    """Return the containers of ``docker inspect`` that run in another namespace than the host; *first* ones first."""
    found: list[Running] = []
    for one in inspected:
        mode, name = str((one.get("HostConfig") or {}).get("NetworkMode")), str(one["Name"]).lstrip("/")
        pid, resolv, hosts = one["State"].get("Pid"), *(str(one.get(path) or "/") for path in PATHS)
        known = isinstance(pid, int) and pid > 0 and NAME.fullmatch(name) and all(map(PATH.fullmatch, (resolv, hosts)))
        if mode != "host" and known:
            found.append(Running(name, pid, resolv, hosts, joined=mode.startswith(JOINED)))
    found.sort(key=lambda one: (one.name not in first, one.name))
    return found[:MOST]


def overlays(networks: Any, inspected: Any) -> list[Running]:
    """Return the namespaces of overlay networks (libnetwork's drivers/overlay), beside those of containers."""
    keys = (str((one.get("NetworkSettings") or {}).get("SandboxKey") or "") for one in inspected)
    folder = next((str(PurePosixPath(key).parent) for key in keys if PATH.fullmatch(key)), NAMESPACES)
    found: list[Running] = []
    for one in networks:
        name, identity = str(one.get("Name")), str(one.get("Id"))
        if one.get("Driver") == "overlay" and NAME.fullmatch(name) and NAME.fullmatch(identity):
            found.append(Running(name, 0, "/", "/", path=f"{folder}/1-{identity[:NETNS_NAME]}"))
    return found[:MOST]


def apart(machine: Machine, deadline: Deadline, containers: Sequence[Running]) -> list[Running]:
    """
    Leave out those that were started in another one's namespace and are there still.

    When that one is restarted it gets a new namespace, and who had joined it stays behind in the old one.
    """
    if not any(one.joined for one in containers):
        return list(containers)
    script = "for pid; do readlink /proc/$pid/ns/net || echo; done"
    done = machine.run("sh", "-c", script, "sh", *(str(one.pid) for one in containers), deadline=deadline)
    spaces = dict(zip(containers, done.out.splitlines(), strict=False))
    own = {spaces.get(one) for one in containers if not one.joined}
    return [one for one in containers if not one.joined or spaces.get(one, "") not in own | {""}]


def ask(
    machine: Machine, deadline: Deadline, containers: Sequence[Running], dumps: Sequence[Dump]
) -> Iterator[tuple[str, str, str]]:
    """
    Give container or network, file and text of each dump that there is.

    Raises:
        ToolError: their namespaces cannot be entered.
    """
    mark = secrets.token_hex(16)
    commands = "; ".join(
        f"""{shlex.join(command)} 2>/dev/null; printf '\\n%s %s %s %s\\n' "$mark" "$name" {file} $?"""
        for file, command in dumps
    )
    script = f"COMMANDS={shlex.quote(commands)}\n{SCRIPT}"
    done = machine.run("sh", "-c", script, "sh", mark, *(one.text for one in containers), deadline=deadline)
    parts = re.split(rf"\n{mark} (\S+) (\S+) (\d+)\n", done.out)
    if len(parts) == 1 and not all(one.path for one in containers):
        raise ToolError(f"nsenter: {done.reason}")
    for text, name, file, code in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=False):
        if code == "0":
            yield name, file, text

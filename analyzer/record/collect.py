"""Records a host's state: the output of each command, in a file of its own. Nothing here changes the host."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from analyzer.errors import ToolError
from analyzer.record.machine import Deadline, Machine, open_new

SYSCTLS = (
    "net.ipv4.ip_forward",
    "net.ipv4.conf.all.forwarding",
    "net.ipv6.conf.all.forwarding",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv4.conf.all.route_localnet",
    "net.ipv4.ip_local_port_range",
    "net.bridge.bridge-nf-call-iptables",
    "net.bridge.bridge-nf-call-ip6tables",
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_tcp_be_liberal",
    "net.netfilter.nf_conntrack_udp_timeout",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
)
DUMPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ip-addr.json", ("ip", "-j", "-d", "addr")),
    ("ip-route.json", ("ip", "-j", "route", "show", "table", "all")),
    ("ip-rule.json", ("ip", "-j", "rule")),
    ("ip6-rule.json", ("ip", "-6", "-j", "rule")),
    ("ip-neigh.json", ("ip", "-j", "neigh")),
    ("bridge-fdb.json", ("bridge", "-j", "fdb")),
    ("bridge-link.json", ("bridge", "-j", "-d", "link")),
    ("iptables-save.txt", ("iptables-save", "-c")),
    ("ip6tables-save.txt", ("ip6tables-save", "-c")),
    ("nft-ruleset.json", ("nft", "-j", "list", "ruleset")),
    ("conntrack.txt", ("conntrack", "-L", "-o", "extended,id")),
    ("conntrack6.txt", ("conntrack", "-L", "-f", "ipv6", "-o", "extended,id")),
    ("conntrack-stats.txt", ("conntrack", "-S")),
    ("nstat.txt", ("nstat", "-az")),
    ("ip-link.json", ("ip", "-s", "-s", "-j", "link")),
    ("tc-qdisc.json", ("tc", "-s", "-j", "qdisc")),
    ("softnet_stat.txt", ("cat", "/proc/net/softnet_stat")),
    # One that is missing must not take the others with it.
    ("sysctl.txt", ("sysctl", "-e", *SYSCTLS)),
    ("sysctl-interfaces.txt", ("sysctl", "-e", "-a", "-r", r"^net\.ipv4\.conf\..*\.(rp_filter|forwarding)$")),
    ("docker-version.json", ("docker", "version", "--format", "{{json .}}")),
)
"""What is recorded, by file."""


DOCKER: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("docker-inspect.json", ("docker", "ps", "-q", "--no-trunc"), ("docker", "inspect")),
    ("docker-network-inspect.json", ("docker", "network", "ls", "-q", "--no-trunc"), ("docker", "network", "inspect")),
)
"""What is listed first: the file, what lists ids, what is asked about them."""
TIME_S = 20
"""For all dumps together."""
AT_ONCE = 4


def collect(machine: Machine, folder: Path, deadline: Deadline) -> list[str]:
    """
    Write what every command says into a new *folder*, a file each, whole or not at all.

    Returns:
        What could not be recorded, in the order of the files: no failure costs more than its own dump.
    """
    try:
        folder.mkdir()
    except OSError as error:
        return [f"{folder.name}: {error.strerror}"]

    def dump(file: str, command: tuple[str, ...]) -> str | None:
        return _guarded(file, lambda: _save(folder / file, _say(machine, deadline, command)))

    def listed(file: str, listing: tuple[str, ...], inspect: tuple[str, ...]) -> str | None:
        def ask() -> None:
            ids = _say(machine, deadline, listing).split()
            if ids:
                _save(folder / file, _say(machine, deadline, (*inspect, *ids)))

        return _guarded(file, ask)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [pool.submit(listed, *one) for one in DOCKER]  # what takes longest
        asked[:0] = [pool.submit(dump, *one) for one in DUMPS]
        if machine.has("ipset"):
            asked.append(pool.submit(dump, "ipset.txt", ("ipset", "save")))
        problems = [one.result() for one in asked]
    return [f"{folder.name}/{problem}" for problem in problems if problem is not None]


def _guarded(file: str, work: Callable[[], None]) -> str | None:
    """Return why *work* failed, whatever that is; None if it did not."""
    try:
        work()
    except ToolError as error:
        return f"{file}: {error}"
    except OSError as error:
        return f"{file}: {error.strerror}"
    except Exception as error:
        return f"{file}: {type(error).__name__}: {error}"
    return None


def _say(machine: Machine, deadline: Deadline, command: tuple[str, ...]) -> str:
    done = machine.run(*command, deadline=deadline)
    if done.code:
        raise ToolError(f"{command[0]}: {done.reason}")
    return done.out


def _save(path: Path, text: str) -> None:
    """Write a new file, which has its name only when it is complete."""
    hidden = path.with_name(f".{path.name}")
    with os.fdopen(open_new(hidden), "w", encoding="utf-8", errors="replace") as out:
        out.write(text)
    hidden.replace(path)

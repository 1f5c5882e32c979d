"""Records a host's state: the output of each command, in a file of its own. Nothing here changes the host."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.record.machine import Done, Machine, open_new

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
    # One that is missing must not take the others with it.
    ("sysctl.txt", ("sysctl", "-e", *SYSCTLS)),
    ("sysctl-interfaces.txt", ("sysctl", "-e", "-a", "-r", r"^net\.ipv4\.conf\..*\.(rp_filter|forwarding)$")),
    ("docker-version.json", ("docker", "version", "--format", "{{json .}}")),
)
"""What is recorded, by file."""


@dataclass(frozen=True, slots=True)
class Dump:
    """One command's output, or why there is none."""

    file: str
    text: str | None
    problem: str = ""


def collect(machine: Machine) -> Iterator[Dump]:
    """Run every command; what fails is told, and left out."""
    sets = [("ipset.txt", ("ipset", "save"))] if machine.has("ipset") else []
    for file, command in (*DUMPS, *sets):
        yield _dump(file, command, machine.run(*command))
    yield from _docker(machine)


def _dump(file: str, command: Sequence[str], done: Done) -> Dump:
    return Dump(file, None, f"{command[0]}: {done.reason}") if done.code else Dump(file, done.out)


def _docker(machine: Machine) -> Iterator[Dump]:
    """Inspect what there is; that Docker does not answer is told."""
    for file, listing, inspect in (
        ("docker-inspect.json", ("docker", "ps", "-q", "--no-trunc"), ("docker", "inspect")),
        (
            "docker-network-inspect.json",
            ("docker", "network", "ls", "-q", "--no-trunc"),
            ("docker", "network", "inspect"),
        ),
    ):
        listed = machine.run(*listing)
        ids = listed.out.split()
        if listed.code:
            yield _dump(file, listing, listed)
        elif ids:
            yield _dump(file, inspect, machine.run(*inspect, *ids))


def save(dumps: Iterator[Dump], folder: Path) -> list[str]:
    """Write dumps to a new *folder*; return what could not be recorded."""
    problems: list[str] = []
    folder.mkdir()
    for dump in dumps:
        if dump.text is None:
            problems.append(f"{folder.name}/{dump.file}: {dump.problem}")
            continue
        with os.fdopen(open_new(folder / dump.file), "w", encoding="utf-8", errors="replace") as out:
            out.write(dump.text)
    return problems

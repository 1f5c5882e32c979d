"""Tables and outputs of the documentation, as they are made; ``python -m tests.docs.made`` brings it up to date."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from analyzer import Trace, analyze
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.model import Role, Severity
from analyzer.model.decision import Left
from analyzer.record.choose import ENGINES
from analyzer.record.dumps import FOR_PEOPLE, HOST, OPTIONAL, about_engine, containers_of, networks_of, version_of
from tests.docs import manual
from tests.explain import (
    test_hosts_at_home,
    test_hosts_with_guests,
    test_hosts_with_more,
    test_hosts_with_more_ways,
    test_hosts_without_engine,
)
from tests.explain.hosts import RECORDED
from tests.lab.faults.cases import CASES

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
BLOCK = re.compile(r"(```console\n\$ hoptrace (.*?)\n)(.*?)(```)", re.DOTALL)
HOSTS_TABLE = re.compile(r"\| host \| way found .*\n(\|.*\n)+")
DUMPS_TABLE = re.compile(r"\| file \| command \|\n(\|.*\n)+")
CHECKS_TABLE = re.compile(r"\| check \| severity \| when.*\n(\|.*\n)+")
WIDTH = "160"
KINDS = {
    "docker-28": "Docker 28, iptables (by hand)", "docker-29": "Docker 29, nftables (by hand)",
    "kubernetes": "a node: CNI's bridge, kube-proxy's rules (by hand)", "podman": "Podman 5, netavark, nftables",
    "pasta": "pasta, the network of rootless Podman", "lxc": "LXC: lxc-net, nftables",
    "libvirt": "libvirt's default network, iptables", "libvirt-nft": "libvirt's default network, nftables",
    "incus": "incus, nftables, ufw",
    "firewalld": "firewalld, nftables", "docker-firewalld": "Docker 26 and firewalld",
    "docker-ufw": "Docker 26 and ufw", "swarm": "two nodes of a swarm, overlay networks",
    "drivers": "Docker's other drivers and modes", "tun": "the way out is a tunnel (tun)",
    "guarded": "Docker 26 beside firewalls and proxies", "vpn": "Docker 26 beside VPNs",
    "ways": "several uplinks, tables, next hops", "nested": "an engine or a gateway in a container",
    "routed": "routed pods: Calico, ptp, kube-proxy (by hand)", "flannel": "flannel's VXLAN (by hand)",
    "openwrt": "OpenWrt's fw4 (by hand) and Docker 26", "macvtap": "a machine on a macvtap",
    "ipv6": "IPv6 alone: NAT66, and routed", "bridged": "a LAN's bridge, the uplink its port",
    "home": "a server at home: compose projects, Docker 26",
    "hypervisor": "a hypervisor like Proxmox VE: bridges, guests' firewalls (by hand)",
    "nomad": "a node of Nomad: CNI's bridge, firewall and portmap plugins",
}  # fmt: skip

OF_HOSTS = (
    test_hosts_with_guests, test_hosts_at_home, test_hosts_with_more, test_hosts_with_more_ways,
    test_hosts_without_engine,
)  # fmt: skip
HEALTHY = {
    *test_hosts_at_home.HEALTHY, *test_hosts_with_more.HEALTHY, *test_hosts_with_more_ways.HEALTHY,
    *test_hosts_with_guests.HEALTHY, *test_hosts_without_engine.HEALTHY,
    *(f"{kind}.healthy" for kind in KINDS), "docker-28.across", "docker-29.across", "kubernetes.across",
}  # fmt: skip
"""Recordings of hosts with which nothing is wrong."""


def pages() -> list[Path]:
    """Return all pages for people, the README first."""
    return [README, *sorted(DOCS.glob("*.md"))]


def output(command: str) -> str:
    """Return what a command prints, from the project's folder."""
    environment = {**os.environ, "COLUMNS": WIDTH, "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *command.split()],
        capture_output=True, text=True, cwd=ROOT, env=environment, check=True,
    )  # fmt: skip
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


def dumps_table() -> str:
    """Return the table of what a bundle's host folder may hold, as the code has it."""
    rows = [f"| `{file}` | `{_shown(command)}` |" for file, command in (*HOST, *OPTIONAL, *FOR_PEOPLE)]
    for engine in (one.name for one in ENGINES):
        own = (version_of(engine), *about_engine(engine))
        rows += [f"| `{file}` | `{_shown(command)}` |" for file, command in own]
        listed = (one for one in (containers_of(engine), networks_of(engine)) if one is not None)
        rows += [f"| `{file}` | `{' '.join(command)} ...` |" for file, _, command in listed]
    return "\n".join(["| file | command |", "|---|---|", *rows]) + "\n"


def _shown(command: tuple[str, ...]) -> str:
    if command[0] != "sh":
        return " ".join(command)
    if "/proc/sys/net" in command[2]:
        return f"{command[2].partition('/')[0].strip()} /proc/sys/net/..."
    asks = re.sub(r'^command -v \w+ >/dev/null \|\| exit 127; (for link .*?; do echo "== \$link"; )?', "", command[2])
    return asks.removesuffix(" 2>/dev/null; :").removesuffix("; done")


def hosts_table() -> str:
    """Return what is told of recordings of other kinds of hosts, as they are analysed."""
    rows = [
        "| host | way found | dumps | names | rules decided | NAT's rules named | errors if healthy | faults |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, name in KINDS.items():
        traces = {path.name: analyze([path]) for path in sorted(RECORDED.glob(f"{kind}.*.tar.zst"))}
        healthy = [trace for name, trace in traces.items() if name.removesuffix(".tar.zst") in HEALTHY]
        faulty = [trace for trace in traces.values() if trace not in healthy]
        all_ = [*healthy, *faulty]
        stages = [stage for trace in all_ for decision in trace.decisions for stage in decision.stages]
        connections = [trace.connection(number) for trace in all_ for number in range(len(trace.connections))]
        changes = [change for connection in connections for change in connection.nat]
        cells = [
            name,
            _of(map(_way_found, all_)),
            _of(map(_read, all_)),
            _of(any(point.container for point in trace.points) for trace in all_),
            _of(stage.outcome is not Left.UNDECIDED for stage in stages),
            _of(change.rule is not None for change in changes) if changes else "no NAT",
            f"{sum(map(_errors, healthy))}, of {len(healthy)}" if healthy else "none recorded",
            f"{len(faulty)}: {', '.join(sorted({trace.findings[0].check for trace in faulty}))}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def checks_table() -> str:
    """Return all checks, each with a recording that shows it."""
    shown: dict[str, str] = {}
    for case in sorted(CASES, key=lambda one: len(one.fault.expect)):
        for name in case.fault.expect:
            shown.setdefault(name, f"tests/faults/{case.path.name}")
    for module in OF_HOSTS:
        for recording, told in module.FAULTS.items():
            shown.setdefault(told[0], f"tests/hosts/{recording}.tar.zst")
    shown.setdefault("capture-doubles-packets", "sample_pcaps/hairpin")
    rows = ["| check | severity | when it speaks | recording |", "|---|---|---|---|"]
    for one in sorted(HYPOTHESES, key=lambda one: one.name):
        recording = f"`{shown[one.name]}`" if one.name in shown else "none"
        rows.append(f"| `{one.name}` | {one.severity.value} | {one.about} | {recording} |")
    return "\n".join(rows) + "\n"


def _of(answers: Iterable[bool]) -> str:
    """Tell how many are yes."""
    several = list(answers)
    return "yes" if all(several) else f"{sum(several)} of {len(several)}"


def _errors(trace: Trace) -> int:
    return sum(finding.severity is Severity.ERROR for finding in trace.findings)


def _way_found(trace: Trace) -> bool:
    """Tell whether there is a point at the container, and one where its packets leave."""
    roles = {point.role for point in trace.points}
    return bool(roles & {Role.VETH, Role.CONTAINER}) and Role.UPLINK in roles


def _read(trace: Trace) -> bool:
    """Tell whether all dumps are there and were read, but for those of an engine that the host does not use."""
    host = trace.hosts.everywhere
    engine = f"/{host.engine}-"
    return not any("not recorded: host" in one and (engine in one or "docker-" not in one) for one in host.problems)


def renewed(text: str) -> str:
    """Return a page with all that is made, made anew."""
    text = DUMPS_TABLE.sub(lambda _: dumps_table(), text)
    text = HOSTS_TABLE.sub(lambda _: hosts_table(), text)
    text = CHECKS_TABLE.sub(lambda _: checks_table(), text)
    return BLOCK.sub(lambda found: found[1] + output(found[2]) + found[4], text)


if __name__ == "__main__":
    for name, text in manual.pages().items():
        (manual.FOLDER / name).write_text(text)
    for page in pages():
        page.write_text(renewed(page.read_text()))

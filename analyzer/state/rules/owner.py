"""Who made a rule: by the names of its table and chain, by its comment, and by what a container publishes.

Names are what their programs call them: moby's iptables.go, netavark's firewall/, CNI's plugins, kube-proxy's
proxier.go, firewalld's nftables.py and ipXtables.py, ufw's user.rules, fail2ban's actions, wg-quick.
"""

import re

from analyzer.model import HostState
from analyzer.model.rules import Rule

DOCKER_USER, UFW, NETAVARK = "DOCKER-USER", "ufw", "inet netavark"
_HOOKS = ("INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING")
"""Chains of netavark's table in which it drops nothing itself but what conntrack calls invalid."""
_TABLES = (
    (re.compile(f"^{NETAVARK}$"), "netavark (Podman)"), (re.compile(r"^(ip|ip6) docker-"), "Docker"),
    (re.compile(r"^(inet|ip|ip6) firewalld$"), "firewalld"), (re.compile(r"^(inet|ip|ip6) kube-proxy$"), "kube-proxy"),
    (re.compile(r"^(inet|ip|ip6) (cni|cni_\w+)$"), "a CNI plugin"), (re.compile(r"^ip6? wg-quick-"), "wg-quick"),
    (re.compile(r"^(ip|ip6|inet) crowdsec6?$"), "CrowdSec's bouncer"), (re.compile(r"^inet f2b-table$"), "fail2ban"),
    (re.compile(r"^(inet|ip|ip6) libvirt_network$"), "libvirt"), (re.compile(r"^inet fw4$"), "OpenWrt's firewall"),
    (re.compile(r"^inet mullvad$"), "Mullvad"),
)  # fmt: skip
_CHAINS = (
    (re.compile(r"^DOCKER(-|$)"), "Docker"), (re.compile(r"^NETAVARK"), "netavark (Podman)"),
    (re.compile(r"^KUBE-"), "kube-proxy"), (re.compile(r"^CNI-"), "a CNI plugin"), (re.compile(r"^cali-"), "Calico"),
    (re.compile(r"^FLANNEL-"), "flannel"), (re.compile(r"^CILIUM_"), "Cilium"),
    (re.compile(r"^ufw6?-"), UFW), (re.compile(r"^f2b-"), "fail2ban"), (re.compile(r"^LIBVIRT_"), "libvirt"),
    (re.compile(r"^ts-"), "Tailscale"), (re.compile(r"^(IN|FWDI|FWDO|FWD|PRE|POST)_\w+|_ZONES|_direct$"), "firewalld"),
)  # fmt: skip
_COMMENTS = (
    (re.compile(r"^wg-quick\(8\) rule for"), "wg-quick"), (re.compile(r"^kubernetes "), "kube-proxy"),
    (re.compile(r"^cali:"), "Calico"), (re.compile(r"^nordvpn"), "NordVPN"),
    (re.compile(r"^(CNI|name: .* id: )"), "a CNI plugin"),
)  # fmt: skip
_MARKS = {"shorewall": "Shorewall", "LOCALINPUT": "csf"}
"""Chains by which one sees that a program has made all of iptables' filter table that nobody else's names are in."""


def owner(rule: Rule, host: HostState) -> str | None:
    """Return who made a rule, None if nobody that is known."""
    if rule.chain == DOCKER_USER:
        return "whoever administers the host"
    for pattern, name in _COMMENTS:
        if pattern.search(rule.comment):
            return name
    if rule.native and rule.target in ("DROP", "REJECT") and _is_foreign(rule):
        return None
    for pattern, name in _TABLES if rule.native else _CHAINS:
        if pattern.search(rule.table if rule.native else rule.chain):
            return _publisher(rule, host, name)
    return _docker(rule, host) or (None if rule.native else _whole_table(host, rule.table))


def _whole_table(host: HostState, table: str) -> str | None:
    """Return the program that makes all of iptables' filter table, by a chain that only it has."""
    chains = {name for one in host.tables if not one.native and one.label == table == "filter" for name in one.chains}
    return next((program for mark, program in _MARKS.items() if mark in chains), None)


def _is_foreign(rule: Rule) -> bool:
    """Tell of a rule that drops whether somebody put it into an engine's table: what Docker drops, has a comment."""
    if rule.table == NETAVARK:
        return rule.chain in _HOOKS and not rule.text.endswith(" ct state invalid drop")
    return re.match(r"^ip6? docker-", rule.table) is not None and not rule.comment


KEEPERS = ("OpenWrt's firewall", "Mullvad")
"""Whose tables have policies that drop."""


def keeper(host: HostState, table: str, chain: str) -> str | None:
    """Return the program that sets a chain's policy, and has its own chains called there; None if none is known to."""
    of = (one.chains.get(chain) for one in host.tables if one.label == table)
    targets = [rule.target for one in of if one is not None for rule in one.rules]
    if any(re.match(r"^ufw6?-", target) for target in targets):
        return UFW
    named = (name for pattern, name in _TABLES if pattern.search(table) and name in KEEPERS)
    return next(named, None) or _whole_table(host, table)


def _publisher(rule: Rule, host: HostState, name: str) -> str:
    """Return who made a rule, and the container whose published port it is for."""
    to = rule.nat.to if rule.nat is not None else None
    for container in host.containers if to else ():
        for port in container.published:
            inner = port.partition("->")[2].partition("/")[0]
            if any(to in (f"{ip}:{inner}", f"[{ip}]:{inner}") for ip in container.addresses):
                return f"{name}, for {container.name}'s published port {port}"
    return name


def _docker(rule: Rule, host: HostState) -> str | None:
    """Tell Docker's own rules in built-in chains: they name a bridge of its networks, or jump to its chains."""
    if rule.native or rule.chain not in ("FORWARD", "POSTROUTING", "PREROUTING", "OUTPUT"):
        return None
    if re.match(r"^DOCKER(-|$)", rule.target):
        return "Docker"
    bridges = {network.bridge for network in host.networks if network.bridge is not None}
    named = {word for word in rule.text.split() if word in bridges}
    makes = rule.target in ("MASQUERADE", "ACCEPT", "DROP") and re.search(r" -[io] | -s ", rule.text)
    return "Docker" if named and makes and rule.table in ("nat", "filter") and _is_dockers(rule) else None


def _is_dockers(rule: Rule) -> bool:
    """Tell whether a rule is one of those that Docker writes for each bridge, word by word."""
    plain = re.sub(r"^-A \w+ ", "", rule.text)
    patterns = (
        r"-o \S+ -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", r"-i \S+ ! -o \S+ -j ACCEPT",
        r"-i \S+ -o \S+ -j (ACCEPT|DROP)", r"-s \S+ ! -o \S+ -j MASQUERADE",
    )  # fmt: skip
    return any(re.fullmatch(pattern, plain) for pattern in patterns)


def place(rule: Rule, host: HostState) -> str:
    """Say where a rule stands and who made it: ``rule 3 of DOCKER-USER, made by ...``."""
    by = owner(rule, host)
    made = f", made by {by}" if by is not None else ", made by no program that is known"
    return f"rule {rule.number} of chain {rule.chain}{made}"

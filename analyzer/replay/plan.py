"""What has to be done to build a recorded host again: commands for iproute2, iptables-restore and nft, in order.

Takes a HostState, gives commands as lists of words, never a line for a shell; what goes to iptables-restore and nft is
made of rules that were read, not of what a dump says. Names that no interface can have are left out, and said.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from ipaddress import IPv6Address
from typing import Any
from zlib import crc32

from analyzer.model import Address, HostState, Link, Route, RoutingRule, mac_text
from analyzer.model.rules import Rule, Table
from analyzer.state.rules.iptables import DUMPS, LEGACY

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
"""Interfaces that are built; the kernel takes more, but nobody needs them, and tools trip over them."""
WORD = re.compile(r"[A-Za-z0-9_.+:@/=,-]{1,256}")
PEER = "p{}"
"""The other ends of the host's interfaces, outside: by their place in the plan."""
SYSCTLS = re.compile(r"net\.(ipv4|ipv6|bridge|netfilter)\.[a-z0-9_.-]+")
SETTINGS = frozenset((
    "forwarding", "rp_filter", "src_valid_mark", "accept_local", "route_localnet", "ip_forward", "send_redirects",
    "bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables", "bridge-nf-filter-vlan-tagged",
    "nf_conntrack_tcp_be_liberal", "nf_conntrack_tcp_loose", "proxy_arp", "arp_ignore", "arp_filter",
    "fib_multipath_hash_policy", "ip_default_ttl", "icmp_echo_ignore_all",
))  # fmt: skip
"""Sysctls that a packet's way hangs on; all others stay as the kernel has them."""
OWN = "hoptrace"
"""The table that turns tracing on."""
FIRST = -450
"""Before all other rules: conntrack's defragmentation is at -400."""
KINDS = ("table", "chain", "set", "map", "rule", "element", "counter", "quota", "limit", "ct helper", "ct timeout",
         "ct expectation", "flowtable", "synproxy")  # fmt: skip
"""What a ruleset of nftables is made of; a dump may hold nothing else."""
MOST_LINKS, MOST_ADDRESSES, MOST_ROUTES, MOST_NEIGHBOURS, MOST_RULES = 256, 32, 1_024, 1_024, 1_024
"""Of each, of an interface's addresses and of routing rules: more than hosts have."""
_TABLES = {"main": "254", "local": "255", "default": "253"}


@dataclass(frozen=True, slots=True)
class Command:
    """One command, with what it reads."""

    words: tuple[str, ...]
    stdin: str = ""
    about: str = ""
    """What is missing in the built host if it fails."""


@dataclass(slots=True)
class Plan:
    """A host to build."""

    commands: list[Command] = field(default_factory=list)
    peers: dict[str, str] = field(default_factory=dict)
    """The outer end of each interface, by its name."""
    settings: dict[str, str] = field(default_factory=dict)
    """Sysctls, by name."""
    missing: list[str] = field(default_factory=list)
    """What cannot be built, a line each."""

    def add(self, *words: str, stdin: str = "", about: str = "") -> None:
        """Add a command."""
        self.commands.append(Command(words, stdin, about or " ".join(words)[:80]))

    def as_told(self) -> dict[str, Any]:
        """Return it as what runs inside takes it."""
        return {"commands": [asdict(one) for one in self.commands], "settings": self.settings, "peers": self.peers}


def plan(
    host: HostState,
    ports: Sequence[tuple[str, str | None]] = (),
    neighbours: Iterable[tuple[Address, str, str]] = (),
) -> Plan:
    """
    Say how to build a host.

    *ports* are interfaces that captures show beside those of the dumps, with their bridges; *neighbours* are next hops
    with interface and MAC that no dump has. Links are pairs of which the outer end stands for what was plugged in: a
    container, or the world.
    """
    found = Plan()
    links = [*host.links, *(Link(0, name, None, "veth", bridge) for name, bridge in ports if host.link(name) is None)]
    usable = [link for link in links if NAME.fullmatch(link.name)][:MOST_LINKS]
    if len(usable) < len(links):
        found.missing.append(f"{len(links) - len(usable)} interfaces with names that are not built")
    found.add("ip", "link", "set", "dev", "lo", "up")
    for link in sorted(usable, key=lambda link: link.kind != "bridge"):  # bridges before their ports
        _link(found, link, {one.name for one in usable if one.kind == "bridge"})
    for link in usable:
        _addresses(found, link)
    for port in host.ports:
        if port.hairpin and port.dev in found.peers:
            found.add("ip", "link", "set", "dev", port.dev, "type", "bridge_slave", "hairpin", "on")
    _settings(found, host, {link.name for link in usable})
    for link in usable:
        if not link.loopback:
            found.add("ip", "link", "set", "dev", link.name, "multicast", "off", _state(link))
    names = {link.name for link in usable}
    _routes(found, host, names)
    for ip, device, mac in neighbours:
        if device in names:
            found.add("ip", "neigh", "replace", str(ip), "lladdr", mac, "dev", device)
    _neighbours(found, host, names)
    _rules(found, host)
    return found


def _link(found: Plan, link: Link, bridges: set[str]) -> None:
    if link.loopback or link.name == "lo":
        return
    mac = ("address", mac_text(link.mac)) if link.mac else ()
    mtu = ("mtu", str(link.mtu)) if link.mtu is not None and 68 <= link.mtu <= 65_535 else ()
    if link.kind == "bridge":
        found.add("ip", "link", "add", "name", link.name, *mac, "type", "bridge", "mcast_snooping", "0")
        return
    peer = found.peers[link.name] = PEER.format(len(found.peers))
    found.add(
        "ip", "link", "add", "name", link.name, *mac, *mtu, "type", "veth", "peer", "name", peer, "netns", "OUTSIDE"
    )
    if link.master in bridges:
        found.add("ip", "link", "set", "dev", link.name, "master", link.master or "")
    if link.kind not in (None, "veth", "bridge"):
        found.missing.append(f"{link.name} is no {link.kind}, but a pair of interfaces")


def _state(link: Link) -> str:
    """Return the state of an interface; one without carrier is up all the same, and so is a bridge."""
    return "down" if link.down and not link.up and link.kind != "bridge" else "up"


def _addresses(found: Plan, link: Link) -> None:
    for ip in link.addresses[:MOST_ADDRESSES]:
        if ip.is_loopback or link.loopback:
            continue
        more = ("nodad",) if ip.version == 6 else ()
        found.add("ip", "addr", "add", f"{ip}/{ip.max_prefixlen}", "dev", link.name, "noprefixroute", *more)


def _settings(found: Plan, host: HostState, names: set[str]) -> None:
    for name, value in host.sysctls.items():
        last = name.rpartition(".")[2]
        if not SYSCTLS.fullmatch(name) or last not in SETTINGS or not re.fullmatch(r"-?\d{1,9}", value):
            continue
        parts = name.split(".")
        if parts[2] == "conf" and parts[3] not in (*names, "all", "default"):
            continue
        found.settings[name] = value

    if not {"net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"} & set(found.settings):
        found.settings |= {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}
        found.missing.append("whether it forwards: not recorded, so taken as on")
    found.settings.setdefault("net.ipv4.conf.all.rp_filter", "0")
    for name in names:
        found.settings.setdefault(f"net.ipv4.conf.{name}.rp_filter", "0")


def _routes(found: Plan, host: HostState, names: set[str]) -> None:
    """Add routes, those to neighbours first: a gateway has to be known."""
    routes = [route for route in host.routes if _is_built(route, names)][:MOST_ROUTES]
    for route in sorted(routes, key=lambda route: (route.gateway is not None, bool(route.nexthops))):
        words = ["ip", f"-{route.dst.version}", "route", "replace", route.kind, str(route.dst)]
        more = ["src", str(route.src)] if route.src is not None and host.owns(route.src) else []
        more += ["metric", str(route.metric)] if route.metric else []
        more += ["table", _number(route.table)]
        if route.nexthops:  # what stands behind a next hop is taken for more of it
            words += more
            words += [word for device, ip in route.nexthops for word in ("nexthop", *_hop(ip, device or "lo", route))]
        else:
            words += [*_hop(route.gateway, route.dev, route), *more]
        found.add(*words, about=f"route {route.text}")
    rules = host.routing_rules[:MOST_RULES]
    for version in {rule.version for rule in rules}:
        found.add("ip", f"-{version}", "rule", "flush")
        for rule in (rule for rule in rules if rule.version == version):
            _routing_rule(found, rule, names)


def _is_built(route: Route, names: set[str]) -> bool:
    """Tell whether a route is added: the kernel has its own for addresses; interfaces may not be there."""
    if route.kind in ("multicast", "anycast") or (route.kind in ("local", "broadcast") and route.table == "local"):
        return route.kind == "local" and route.dst.prefixlen not in (32, 128) and not route.dst.is_loopback
    devices = {device for device in route.devices if device is not None}
    return devices <= names


def _hop(gateway: Any, device: str | None, route: Route) -> list[str]:
    via = _via(gateway, route) if gateway is not None else []
    return via + (["dev", device, *(["onlink"] if via else [])] if device else [])


def _via(gateway: Any, route: Route) -> list[str]:
    six = isinstance(gateway, IPv6Address) and route.dst.version == 4
    return ["via", *(["inet6"] if six else []), str(gateway)]


def _number(table: str) -> str:
    """Return a routing table's number: names other than the kernel's own are of the recorded host's alone."""
    if table in _TABLES:
        return _TABLES[table]
    if table.isascii() and table.isdecimal() and int(table) < 1 << 32:
        return table
    return str(1_000_000 + crc32(table.encode()) % 1_000_000)


def _routing_rule(found: Plan, rule: RoutingRule, names: set[str]) -> None:
    words = ["ip", f"-{rule.version}", "rule", "add", "pref", str(rule.priority), *(["not"] if rule.negated else [])]
    told: dict[str, Any] = {
        "from": rule.src or "all", "to": rule.dst, "ipproto": rule.protocol, "sport": _ports(rule.sport),
        "dport": _ports(rule.dport), "goto": rule.goto,
        "fwmark": f"{rule.mark[0]:#x}/{rule.mark[1]:#x}" if rule.mark is not None else None,
        "lookup": _number(rule.table) if rule.table is not None else None,
        "suppress_prefixlength": rule.suppress,
    }  # fmt: skip
    for name, value in told.items():
        words += [name, str(value)] if value is not None else []
    for name, device in (("iif", rule.iif), ("oif", rule.oif)):
        if device is not None and device not in (*names, "lo"):
            found.missing.append(f"ip rule {rule.text}")
            return
        words += [name, device] if device is not None else []
    if rule.unread:
        found.missing.append(f"ip rule {rule.text}")
        return
    words += [rule.action] if rule.action not in (None, "goto") else []
    found.add(*words, about=f"ip rule {rule.text}")


def _ports(ports: tuple[int, int] | None) -> str | None:
    return None if ports is None else f"{ports[0]}-{ports[1]}"


def _neighbours(found: Plan, host: HostState, names: set[str]) -> None:
    for one in host.neighbours[:MOST_NEIGHBOURS]:
        if one.dev in names and one.mac is not None and not one.ip.is_multicast:
            found.add("ip", "neigh", "replace", str(one.ip), "lladdr", mac_text(one.mac), "dev", one.dev)


def _rules(found: Plan, host: HostState) -> None:
    """Load rules: those of iptables first, so that nftables' own may come before and behind them."""
    for version, program in ((4, "iptables-restore"), (6, "ip6tables-restore")):
        tables = [table for table in host.tables if table.dump == DUMPS[version]]
        found.missing += [f"rules of {one.dump}" for one in host.tables if one.dump == LEGACY[version] and one.matters]
        if tables:
            found.add(program, stdin="".join(_saved(found, tables)), about=f"the rules of {tables[0].dump}")
    native = [table for table in host.tables if table.native]
    if native:
        text = json.dumps({"nftables": list(_told(native))})
        found.add("nft", "-j", "-f", "-", stdin=text, about="the rules of nftables' own")
    found.add("nft", "-f", "-", stdin=tracing(), about="tracing")


def tracing() -> str:
    """Return the rules that turn tracing on, in every hook where a packet may enter first."""
    lines = []
    for family, hooks in (("inet", ("prerouting", "output")), ("bridge", ("prerouting",))):
        lines.append(f"table {family} {OWN} {{")
        for hook in hooks:
            lines += [f"  chain {hook} {{", f"    type filter hook {hook} priority {FIRST}; policy accept;",
                      "    meta nftrace set 1", "  }"]  # fmt: skip
        lines.append("}")
    return "\n".join(lines) + "\n"


def _saved(found: Plan, tables: Iterable[Table]) -> Iterator[str]:
    """Give what iptables-restore reads."""
    for table in tables:
        if not WORD.fullmatch(table.name):
            continue
        yield f"*{table.name}\n"
        for chain in table.chains.values():
            if WORD.fullmatch(chain.name):
                yield f":{chain.name} {chain.policy if chain.policy in ('ACCEPT', 'DROP') else '-'} [0:0]\n"
        for rule in table.rules():
            line = harmless(rule)
            if line is None:
                found.missing.append(f"rule {rule.text[:80]}")
            else:
                yield f"{line}\n"
        yield "COMMIT\n"


def harmless(rule: Rule) -> str | None:
    """
    Return a rule for iptables-restore, None if it would be more than a rule.

    The program takes options that run commands (``--modprobe``), that read files, and commands of its own; all of
    them may be abbreviated. So each word is an option that rules have, or stands behind one.
    """
    try:
        words = shlex.split(rule.text)
    except ValueError:
        return None
    if words[:1] != ["-A"] or len(words) < 2 or not WORD.fullmatch(words[1]) or words[1].startswith("-"):
        return None
    for word in words[2:]:
        if any(ord(letter) < 32 for letter in word):
            return None
        if word.startswith("-") and not (word in _SHORT or (word.startswith("--") and not _is_command(word))):
            return None
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """Quote a word as iptables-save does."""
    if WORD.fullmatch(word) or word == "!":
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


_SHORT = frozenset(("-s", "-d", "-i", "-o", "-p", "-m", "-j", "-g", "-f"))
_COMMANDS = (
    "--modprobe", "--append", "--check", "--delete", "--insert", "--replace", "--list", "--list-rules", "--flush",
    "--zero", "--new-chain", "--delete-chain", "--policy", "--rename-chain", "--table", "--wait", "--wait-interval",
    "--set-counters", "--object-pinned", "--bytecode-file", "--version", "--help", "--verbose", "--numeric",
)  # fmt: skip


def _is_command(word: str) -> bool:
    """Tell whether an option is, or abbreviates, one that is not of rules."""
    name = word.partition("=")[0]
    return any(command.startswith(name) for command in _COMMANDS) and name not in _OF_RULES


_OF_RULES = frozenset(
    ("--set", "--to", "--string", "--hex-string", "--in", "--re", "--mode", "--mac", "--limit", "--pol")
)


def _told(tables: Iterable[Table]) -> Iterator[dict[str, Any]]:
    """Give nftables' own tables as ``nft -j -f`` takes them: what they hold, in the order of the dump."""
    for table in tables:
        yield {"add": {"table": {"family": table.family, "name": table.name}}}
        kept = {rule.handle for rule in table.rules()}
        policies = {name: chain.policy for name, chain in table.chains.items()}
        for item in table.told:
            kind, value = next(iter(item.items()))
            if kind not in KINDS or (kind == "rule" and value.get("handle") not in kept):
                continue
            bare = {name: one for name, one in value.items() if name not in ("handle", "index")}
            if kind == "chain" and policies.get(value.get("name")) is not None:
                bare["policy"] = str(policies[value["name"]]).lower()
            yield {"add": {kind: bare}}

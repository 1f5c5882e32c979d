"""The judge of rules against the kernel, in namespaces that an ordinary user may have: rules, routes and packets that
nobody chose. ``python -m tests.replay.kernel`` sends 20,000 packets; ``--write`` keeps answers as vectors.
"""

import argparse
import gzip
import json
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from analyzer.model import HostState, Link, Route, RoutingRule
from analyzer.model.question import ABSENT
from analyzer.model.replay import Account as Kernel
from analyzer.model.replay import Agreement, End
from analyzer.model.rules import Table
from analyzer.model.verdict import Account
from analyzer.replay.box import Box, environment, unshared
from analyzer.replay.frames import whole
from analyzer.replay.plan import plan
from analyzer.replay.play import compared, said
from analyzer.replay.verdict import Reader
from analyzer.state.path import Path as Way
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.names import PROTOCOLS
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import Packet
from tests.live.invented import random_native, random_packets, random_rules
from tests.live.kernel import BEHIND, LEFT, MACS, RIGHT, Sent

VECTORS = Path(__file__).with_name("vectors.json.gz")
PACKETS = 25
KINDS = ("iptables", "nft", "routes")
LINKS = (
    Link(2, "r0", int(MACS["r0"].replace(":", ""), 16), "veth", None, (ip_address(LEFT),), 1500),  # type: ignore[arg-type]
    Link(3, "r1", int(MACS["r1"].replace(":", ""), 16), "veth", None, (ip_address(RIGHT),), 1500),  # type: ignore[arg-type]
    Link(4, "r2", 0x020000000012, "veth", None, (ip_address("10.79.0.1"),), 1500),  # type: ignore[arg-type]
)
ROUTES = tuple(
    Route(ip_network(prefix), dev, None, 0, "main", f"{prefix} dev {dev}")
    for prefix, dev in (("10.77.0.0/16", "r0"), ("10.78.0.0/24", "r1"), ("10.79.0.0/24", "r2"))
)
MASTERS: dict[str, str | None] = {"r0": None, "r1": None, "r2": None}


@dataclass(frozen=True, slots=True)
class Case:
    """One invented host, as texts, with packets."""

    kind: str
    seed: int
    rules: str
    """What ``iptables-save`` or ``nft -j`` prints."""

    @property
    def host(self) -> HostState:
        """The host."""
        tables: list[Table] = []
        if self.rules:
            tables = parse_native(self.rules) if self.kind == "nft" else parse_tables(self.rules.splitlines(), 4)
        routes, routing = _random_routes(self.seed) if self.kind == "routes" else (ROUTES, ())
        sysctls = {"net.ipv4.ip_forward": "1"}
        if self.kind == "routes":
            sysctls["net.ipv4.conf.r0.rp_filter"] = str(self.seed % 3)
        return HostState(links=LINKS, routes=routes, routing_rules=routing, tables=tuple(tables), sysctls=sysctls)

    @property
    def sent(self) -> list[Sent]:
        """Its packets."""
        return random_packets(self.seed, PACKETS)


def case(kind: str, seed: int) -> Case:
    """Invent a host."""
    if kind == "nft":
        return Case(kind, seed, _as_json(random_native(seed)))
    return Case(kind, seed, random_rules(seed) if kind == "iptables" else _marks(seed))


def _marks(seed: int) -> str:
    """Return rules that mark packets, for routing rules that ask for it."""
    port = random.Random(seed).choice((53, 80, 443))
    return (
        f"*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport {port} -j MARK --set-xmark 1\nCOMMIT\n"
    )


def _as_json(rules: str) -> str:
    """Return rules of nftables as it prints them, loaded in a namespace."""
    script = "nft -f /dev/stdin && nft -j list ruleset"
    words = [*unshared(), "--", "sh", "-c", script]
    return subprocess.run(words, input=rules, capture_output=True, text=True, check=True, env=environment()).stdout


def _random_routes(seed: int) -> tuple[tuple[Route, ...], tuple[RoutingRule, ...]]:
    """Invent routes of several tables, and rules that lead there."""
    choose = random.Random(seed)
    routes = list(ROUTES)
    for table in ("100", "101"):
        for _ in range(choose.randrange(1, 3)):
            prefix = choose.choice(("0.0.0.0/0", "10.78.0.0/16", "10.78.0.2/32", "10.0.0.0/8", "10.77.9.0/24"))
            kind = choose.choice(("unicast", "unicast", "unicast", "blackhole", "unreachable", "prohibit", "throw"))
            dev = choose.choice(("r1", "r2")) if kind == "unicast" else None
            routes.append(
                Route(ip_network(prefix), dev, None, choose.choice((0, 5, 10)), table, f"{kind} {prefix}", kind)
            )
    rules = [_rule(0, "local"), _rule(32766, "main"), _rule(32767, "default")]
    for number in range(choose.randrange(1, 5)):
        fields: dict[str, Any] = choose.choice((
            {}, {"src": ip_network("10.77.0.2/32")}, {"dst": ip_network("10.78.0.3/32")}, {"iif": "r0"},
            {"iif": "r1"}, {"mark": (1, 0xFFFF_FFFF)}, {"mark": (1, 1), "negated": True}, {"protocol": 17},
            {"protocol": 6, "dport": (80, 80)}, {"dport": (50, 500)}, {"sport": (1, 20_000)}, {"suppress": 0},
            {"suppress": 16}, {"oif": "r1"}, {"src": ip_network("10.77.0.0/24"), "negated": True},
        ))  # fmt: skip
        does: dict[str, Any] = choose.choice((
            {"table": "100"}, {"table": "101"}, {"table": "100"}, {"table": "main"},
            {"table": None, "action": "prohibit"}, {"table": None, "action": "blackhole"},
            {"table": None, "action": "goto", "goto": 32766},
        ))  # fmt: skip
        if does["table"] is None:
            fields = {name: value for name, value in fields.items() if name != "suppress"}
        rules.append(replace(_rule(100 + number, None), **fields, **does))
    return tuple({(r.dst, r.metric, r.table): r for r in routes}.values()), tuple(rules)


def _rule(priority: int, table: str | None) -> RoutingRule:
    return RoutingRule(priority, 4, None, None, None, None, False, table, None, f"{priority}: a rule")


def judged(host: HostState, sent: Sent) -> Account:
    """Let hoptrace judge a packet."""
    ports = sent.proto != "icmp"
    return Way(host).received(Packet(
        protocol=PROTOCOLS[sent.proto], src=ip_address(sent.src), dst=ip_address(sent.dst),
        sport=sent.sport if ports else None, dport=sent.dport if ports else None,
        icmp_type=None if ports else sent.icmp_type, icmp_code=None if ports else 0,
        tcp_flags=sent.flags if sent.proto == "tcp" else None, dscp=sent.tos >> 2,
        length={"tcp": 40, "udp": 28, "icmp": 28}[sent.proto], ttl=64, iif="r0", port_in=ABSENT,
    ))  # fmt: skip


def asked(one: Case) -> list[Kernel]:
    """Ask the kernel about all packets of a case."""
    host = one.host
    hops = [(ip_address(ip), dev, MACS["p1"]) for ip in BEHIND for dev in ("r1", "r2")]
    hops += [(ip_address(f"10.77.{end}"), "r0", MACS["p0"]) for end in ("0.2", "0.3", "9.9")]
    with Box(plan(host, neighbours=hops)) as box:
        assert box.failed == [], box.failed
        reader = Reader(host, box.handles)
        found = []
        for sent in one.sent:
            packet = whole(sent.packet())
            assert packet is not None
            answer = box.send(sent.frame()[:14] + packet, "r0")
            found.append(reader.account(packet, answer, own=False))
        return found


def differences(one: Case, kernels: list[Kernel]) -> Iterator[str]:
    """Compare verdict, what decided, the way out, addresses, and every rule that was met."""
    host = one.host
    for sent, kernel in zip(one.sent, kernels, strict=True):
        own = judged(host, sent)
        shown = kernel
        if kernel.end is End.UNKNOWN and own.why is not None:  # a blackhole says nothing, and counts nothing
            shown = replace(kernel, end=End.DROPPED, by="no route")
        agreement, why = compared(MASTERS, shown, said(own), own)
        if agreement is not Agreement.AGREES:
            yield f"{one.kind} {one.seed}, packet {sent.number}: {agreement}: {why}"
        met = [(step.chain, step.number) for step in kernel.steps if step.number is not None]
        mine = [(asked.rule.chain, asked.rule.number) for asked in own.asked(matched=True)]
        if met != mine:
            yield f"{one.kind} {one.seed}, packet {sent.number}: the kernel met {met}, hoptrace {mine}"


def as_vectors(seeds: range) -> Iterator[dict[str, Any]]:
    """Give cases with the kernel's answers, to be compared where there is no kernel."""
    for kind in KINDS:
        for seed in seeds:
            one = case(kind, seed)
            answers = [
                [str(k.end), k.by, k.out, k.flow, [[s.chain, s.number] for s in k.steps if s.number is not None]]
                for k in asked(one)
            ]
            yield {"kind": kind, "seed": seed, "rules": one.rules, "answers": answers}


def read_vectors() -> Iterator[tuple[Case, list[Kernel]]]:
    """Read what was kept."""
    from analyzer.model.replay import Met

    for told in json.loads(gzip.decompress(VECTORS.read_bytes())):
        kernels = [
            Kernel(End(end), by, out, flow, tuple(Met("", chain, "", number, "") for chain, number in steps))
            for end, by, out, flow, steps in told["answers"]
        ]
        yield Case(told["kind"], told["seed"], told["rules"]), kernels


def main() -> None:
    """Send many packets, or keep answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=20_000)
    parser.add_argument("--write", action="store_true", help="keep the answers of 24 seeds each as vectors")
    given = parser.parse_args()
    if given.write:
        text = json.dumps(list(as_vectors(range(24))), separators=(",", ":"))
        VECTORS.write_bytes(gzip.compress(text.encode(), mtime=0))
        return
    wrong, count = 0, 0
    for seed in range(given.packets // PACKETS // len(KINDS) + 1):
        for kind in KINDS:
            one = case(kind, seed)
            for line in differences(one, asked(one)):
                print(line)
                wrong += 1
            count += PACKETS
    print(f"{count:,} packets: {wrong} not as the kernel has it")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()

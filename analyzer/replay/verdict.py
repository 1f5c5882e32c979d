"""What the kernel told of one packet, as an account: rules by their places, what stopped it, what it left as.

Rules are told by nfnetlink_trace. What routes, source validation, TTLs, MTUs and neighbours stop never meets a rule: it
is told by the counters that moved (include/uapi/linux/snmp.h), and by what left the host instead.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from analyzer.model import HostState, endpoint
from analyzer.model.replay import Account, End, Met
from analyzer.model.rules import Rule, Table
from analyzer.replay.box import Answer
from analyzer.replay.frames import ends, ethernet, same
from analyzer.replay.plan import OWN, harmless

FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
VERDICTS = {0: "drop", 1: "accept", 2: "stolen", 3: "queue", -1: "continue", -2: "break", -3: "jump", -4: "goto",
            -5: "return"}  # fmt: skip
POLICY, RULE = 1, 3
DROP = 0
COUNTERS = (
    ("TcpExtIPReversePathFilter", "reverse path filter"), ("IpInAddrErrors", "forwarding is off"),
    ("Ip6InAddrErrors", "forwarding is off"), ("IpExtInNoRoutes", "no route"), ("Ip6InNoRoutes", "no route"),
    ("IpOutNoRoutes", "no route"), ("IpInHdrErrors", "its TTL ends here"), ("Ip6InHdrErrors", "its TTL ends here"),
    ("IpFragFails", "longer than the way out takes"), ("Ip6InTooBigErrors", "longer than the way out takes"),
)  # fmt: skip
"""What it says that a counter moved, the first that did."""
DELIVERED = ("IpInDelivers", "Ip6InDelivers")
QUOTED, REJECTS = re.compile(r'"[^"]*"'), re.compile(r"-j REJECT\b|(^| )reject\b")
"""What people wrote beside a rule, and what rejects, in the words of iptables and of nft."""
ICMP_TYPES = {(1, 3): "unreachable", (1, 11): "time exceeded", (1, 5): "redirect", (58, 1): "unreachable",
              (58, 2): "packet too big", (58, 3): "time exceeded"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads answers of one built host."""

    host: HostState
    handles: dict[tuple[str, str, str], list[int]]

    def account(self, packet: bytes, answer: Answer, *, own: bool) -> Account:
        """Say what became of a packet, which came in or was the host's *own*."""
        steps = tuple(self._steps(_of_packet(packet, answer.events, own=own)))
        left = next(((name, out) for name, out in _packets(answer) if same(packet, out)), None)
        if left is not None:
            return Account(End.FORWARDED, "", left[0], flow_text(left[1]), steps)
        stop = next((one for one in reversed(steps) if one.verdict in ("drop", "policy drop")), None)
        if stop is not None and steps[-1] is stop:
            rejects = REJECTS.search(QUOTED.sub("", stop.rule)) is not None
            what = f"rule “{stop.rule}”" if stop.rule else f"policy DROP of {stop.table} {stop.chain}"
            return Account(End.REJECTED if rejects else End.DROPPED, what, "", "", steps)
        if any(answer.counters.get(name) for name in DELIVERED):
            return Account(End.DELIVERED, "", "", "", steps)
        moved = next((text for name, text in COUNTERS if answer.counters.get(name)), None)
        if moved is not None:
            return Account(End.DROPPED, moved, "", "", steps)
        if any(_asks(data, packet) for _, data in answer.out):
            return Account(End.DROPPED, "the next hop does not answer", "", "", steps)
        errors = [text for text in answers(packet, answer) if "unreachable" in text]
        if errors:
            return Account(End.DROPPED, "no route", "", "", steps)
        return Account(End.UNKNOWN, "", "", "", steps)

    def _steps(self, events: list[dict[str, Any]]) -> Iterator[Met]:
        for event in events:
            table, chain = event["table"] or "", event["chain"] or ""
            if table == OWN:
                continue
            family = self._family(FAMILIES.get(event["family"] or 0, "?"), table, chain)
            label = f"{family} {table}"
            if event["type"] == POLICY and event["policy"] is not None:
                yield Met(label, chain, "", None, f"policy {VERDICTS.get(event['policy'], '?')}")
            elif event["type"] == RULE and event["handle"] is not None:
                rule = self._rule(family, table, chain, event["handle"])
                verdict = VERDICTS.get(event["verdict"], "?")
                jump = f" {event['jump']}" if event["jump"] else ""
                text = rule.text if rule is not None else f"handle {event['handle']}"
                yield Met(label, chain, text, rule.number if rule is not None else None, f"{verdict}{jump}")

    def _family(self, of_packet: str, table: str, chain: str) -> str:
        """Return a table's family: traces tell the packet's, and one of inet sees both."""
        known = {one.family: one for one in self.host.tables if one.name == table and chain in one.chains}
        return of_packet if of_packet in known or "inet" not in known else "inet"

    def _rule(self, family: str, table: str, chain: str, handle: int) -> Rule | None:
        """Return the recorded rule that was loaded under a handle: rules keep their order."""
        loaded = self.handles.get((family, table, chain), [])
        found = next((one for one in self.host.tables if (one.family, one.name) == (family, table)), None)
        rules = _loaded(found, chain)
        if handle not in loaded or len(loaded) != len(rules):
            return None
        return rules[loaded.index(handle)]


def _of_packet(packet: bytes, events: list[dict[str, Any]], *, own: bool) -> list[dict[str, Any]]:
    """Leave out what the host sent besides, by the beginning of each packet's trace: it has no way in, or other ids."""
    ours: dict[Any, bool] = {}
    for event in events:
        if event["id"] not in ours:
            ours[event["id"]] = (own or event["iif"] is not None) and _alike(packet, bytes.fromhex(event["network"]))
    return [event for event in events if ours[event["id"]]]


def _alike(packet: bytes, header: bytes) -> bool:
    """Tell whether an IP header is a packet's: protocol, length, and identification where there is one."""
    if not header or header[0] >> 4 != packet[0] >> 4:
        return not header
    return (
        header[2:6] + header[9:10] == packet[2:6] + packet[9:10] if header[0] >> 4 == 4 else header[4:7] == packet[4:7]
    )


def _loaded(table: Table | None, chain: str) -> list[Rule]:
    rules = table.chains[chain].rules if table is not None and chain in table.chains else []
    return rules if table is None or table.native else [rule for rule in rules if harmless(rule) is not None]


def _packets(answer: Answer) -> Iterator[tuple[str, bytes]]:
    for name, data in answer.out:
        found = ethernet(data)
        if found is not None and found[1]:
            yield name, found[1]


def _asks(data: bytes, packet: bytes) -> bool:
    """Tell whether a frame asks for a neighbour, ARP or NDP; for the packet's sender, it is about an answer to it."""
    if data[12:14] == b"\x08\x06":
        return data[38:42] != packet[12:16]
    solicits = data[12:14] == b"\x86\xdd" and len(data) > 54 and data[20] == 58 and data[54] == 135
    return solicits and data[62:78] != packet[8:24]


def answers(packet: bytes, answer: Answer) -> list[str]:
    """Name the errors and resets that the host sent."""
    found = []
    for name, out in _packets(answer):
        if same(packet, out):
            continue
        header, protocol = ((out[0] & 15) * 4, out[9]) if out[0] >> 4 == 4 else (40, out[6])
        kind: Any = (protocol, out[header]) if len(out) > header else None
        if kind in ICMP_TYPES:
            found.append(f"ICMP {ICMP_TYPES[kind]} by {name}")
        elif protocol == 6 and len(out) > header + 13 and out[header + 13] & 4:
            found.append(f"TCP RST by {name}")
    return found


def flow_text(packet: bytes) -> str:
    """Say a packet's addresses and ports."""
    src, dst, sport, dport = ends(packet)
    return f"{endpoint(ip_address(src), sport)} → {endpoint(ip_address(dst), dport)}"

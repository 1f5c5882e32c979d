"""nftables' own rules: what they decide, and that a value nobody knows is neither yes nor no."""

import json
from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.host.netfilter.evaluate import Evaluator, Result, Verdict
from analyzer.host.netfilter.nft import parse_native
from analyzer.host.netfilter.packet import Packet
from analyzer.model.netfilter import Ruleset

SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}


def _match(left: object, op: str, right: object) -> dict[str, object]:
    return {"match": {"op": op, "left": left, "right": right}}


def _forwarded(*expr: dict[str, object], **values: Any) -> Result:
    """Forward a packet through one rule that drops what it matches; set ``good`` was recorded, ``lost`` was not."""
    of = {"family": "inet", "table": "own"}
    dump: list[dict[str, object]] = [
        {"table": {"family": "inet", "name": "own"}},
        {"set": {**of, "name": "good", "type": "ipv4_addr", "elem": ["172.17.0.2", "172.17.0.3"]}},
        {"chain": {**of, "name": "fwd", "hook": "forward", "type": "filter", "prio": 0, "policy": "accept"}},
        {"rule": {**of, "chain": "fwd", "expr": [*expr, {"drop": None}]}},
    ]
    given = {"protocol": "tcp", "sport": 40_000, "dport": 80, "ttl": 64, "iif": "docker0", **values}
    packet = Packet(src=ip_address("172.17.0.2"), dst=ip_address("8.8.8.8"), **given)
    native = parse_native(json.dumps({"nftables": dump}))
    return Evaluator(Ruleset(4), lambda ip: "UNICAST", lambda packet: "wlan0", native).received(packet)


@pytest.mark.parametrize(
    ("op", "right", "verdict"),
    [
        ("==", "172.17.0.2", Verdict.DROP),
        ("==", "172.17.0.9", Verdict.ACCEPT),
        ("!=", "172.17.0.2", Verdict.ACCEPT),
        ("!=", "172.17.0.9", Verdict.DROP),
        ("==", "@good", Verdict.DROP),
        ("!=", "@good", Verdict.ACCEPT),
        ("==", "@lost", Verdict.UNKNOWN),
        ("!=", "@lost", Verdict.UNKNOWN),
        ("==", {"set": ["172.17.0.9", "@lost"]}, Verdict.UNKNOWN),
        ("!=", {"set": ["172.17.0.9", "@lost"]}, Verdict.UNKNOWN),
        ("==", {"set": ["172.17.0.2", "@lost"]}, Verdict.DROP),
        ("!=", {"set": ["172.17.0.2", "@lost"]}, Verdict.ACCEPT),
        ("==", "no address", Verdict.UNKNOWN),
        ("!=", "no address", Verdict.UNKNOWN),
    ],
    ids=str,
)
def test_what_is_not_known_stays_unknown_when_it_is_negated(op: str, right: object, verdict: Verdict) -> None:
    """A set that was not recorded may hold the address or not, so neither its rule nor the contrary decides."""
    result = _forwarded(_match(SADDR, op, right))

    assert result.verdict is verdict
    assert ("cannot tell whether" in result.reason) is (verdict is Verdict.UNKNOWN)


@pytest.mark.parametrize("op", ["==", "!=", "<"])
def test_a_field_that_nobody_knows(op: str) -> None:
    """Of a fragment, the port is not known: no comparison holds or fails."""
    assert _forwarded(_match(DPORT, op, 80), dport=None).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("op", ["==", "!=", "<"])
def test_a_field_that_the_packet_has_not(op: str) -> None:
    """A rule that asks a UDP datagram for its TCP port does not match, negated or not."""
    assert _forwarded(_match(DPORT, op, 80), protocol="udp").verdict is Verdict.ACCEPT


def test_an_unknown_match_does_not_matter_behind_one_that_fails() -> None:
    """Matches are asked in order, as the kernel does."""
    udp = _match({"meta": {"key": "l4proto"}}, "==", "udp")

    assert _forwarded(udp, _match(SADDR, "!=", "@lost")).verdict is Verdict.ACCEPT

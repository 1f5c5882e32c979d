"""A small host that runs packets through rules: one way out, one address of its own."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

from analyzer.model import HostState, Link, Route
from analyzer.model.question import Answer, Question
from analyzer.state.path import Path
from analyzer.state.rules.packet import Packet
from analyzer.state.rules.walk import Ends, Walk

OWN = ip_address("192.168.1.100")
DEFAULT = Route(ip_network("0.0.0.0/0"), "wlan0", None, 0, "main", "default dev wlan0")
DEFAULT6 = replace(DEFAULT, dst=ip_network("::/0"))
HOST = HostState(
    links=(Link(2, "wlan0", None, None, None, (OWN,)), Link(3, "docker0", None, "bridge", None, ())),
    routes=(DEFAULT, DEFAULT6),
)


def syn(**values: Any) -> Packet:
    """Return a container's TCP SYN to somebody outside, with other values; addresses may be texts."""
    given: dict[str, Any] = {
        "protocol": 6, "src": "172.17.0.2", "dst": "8.8.8.8", "sport": 40_000, "dport": 80, "tcp_flags": 2, "ttl": 64,
        "iif": "docker0", **values,
    }  # fmt: skip
    for end in ("src", "dst"):
        given[end] = ip_address(given[end]) if isinstance(given[end], str) else given[end]
    return Packet(**given)


def answer(question: Question, packet: Packet, sets: Any = None, host: HostState = HOST) -> Answer:
    """Ask one question of a packet, in a hook of a host."""
    walk = Walk((), Path(host)._look, Ends(lambda _: None, lambda _: None))
    return walk.ask(packet, sets or {}).answer(question)

"""Which connections belong together, and what goes to which part."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest

from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.model import Container, Hosts, HostState
from analyzer.model.overview import NameQuery
from analyzer.packet.assemble import Correlated
from analyzer.packet.connections import Doubts
from analyzer.run.cut import ByErrand, _filled
from analyzer.run.errands import Errands
from analyzer.run.subset import Common
from analyzer.schema import CONNECTIONS, QUOTES, Columns, Int64, Layer
from tests.packet.tables import table

S = 1_000_000_000
WEB, OTHER = "192.0.2.80", "192.0.2.81"


def test_the_largest_errands_first() -> None:
    """Each to the part that has least; connections of one errand stay together."""
    errand = np.array([0, 0, 2, 3, 4, 4])
    frames = np.array([5, 4, 7, 3, 1, 1])

    assert _filled(errand, frames, 2).tolist() == [0, 0, 1, 1, 0, 0]
    assert _filled(errand, frames, 1).tolist() == [0] * 6


def test_rows_go_where_their_packet_goes() -> None:
    """Those of a connection to its part; what all ask for behind all parts, also a frame that was cut too short."""
    rule = ByErrand(2, np.array([0, 1, 1]), np.array([False, False, True]))
    table = {
        "connection": np.array([0, 1, 2, -1, -1, -1]),
        "packet": np.array([0, 1, 2, 3, 3, 4]),
        "layers": np.array([0, 0, 0, Layer.ARP | Layer.NEIGHBOUR, Layer.ARP, Layer.ARP], np.uint32),
    }
    found = rule(table).tolist()

    assert rule.parts == 3
    assert found[:5] == [0, 1, 2, 2, 2]
    assert found[5] in (0, 1)


@dataclass
class _Names:
    """Questions to name servers."""

    asked: list[NameQuery] = field(default_factory=list)
    connections: Int64 = field(default_factory=lambda: np.zeros((0, 2), np.int64))


def _connection(number: int, src: str = "172.17.0.2", dst: str = WEB, **columns: Any) -> dict[str, Any]:
    """Return a TCP connection of its own to port 80 of a server of its own, which answers."""
    ends = {"orig_src": src, "orig_dst": dst, "reply_src": dst, "reply_dst": src}
    ports = {"orig_sport": 40_000 + number, "orig_dport": 80, "reply_sport": 80, "reply_dport": 40_000 + number}
    plain = {"proto": PROTO_TCP, "seen_reply": True, "relayed_to": -1, "relayed_from": -1, "first_ns": number * 100 * S,
             "last_ns": number * 100 * S}  # fmt: skip
    return {**ends, **ports, **plain, **columns}


def _errands(rows: list[dict[str, Any]], *, quotes: list[dict[str, Any]] | None = None, names: _Names | None = None,
             doubts: Doubts | None = None, hosts: Hosts | None = None) -> tuple[Errands, Columns]:  # fmt: skip
    found = Correlated([], table(CONNECTIONS, rows), np.zeros(len(rows), np.int64), [], doubts or Doubts())
    quoted = table(QUOTES, quotes or [])
    return Errands(Common(found, [], hosts or Hosts()), names or _Names(), quoted), quoted  # type: ignore[arg-type]


QUIET = {"seen_reply": False, "orig_dport": 81, "reply_sport": 81}
ASKED = NameQuery("web.example", "A", ip_address("172.17.0.2"), ip_address("192.0.2.53"), 0, 0, records=(WEB, OTHER))
UDP = {"proto": PROTO_UDP}


@pytest.mark.parametrize(
    ("second", "options", "together"),
    [
        ({}, {}, False),
        ({"dst": WEB}, {}, True),
        ({"src": "172.17.0.3", "dst": WEB}, {}, False),
        ({"seen_reply": False}, {}, True),
        ({"seen_reply": False, "orig_dport": 81}, {}, False),
        ({"relayed_to": 0}, {}, True),
        ({}, {"doubts": Doubts({0: {1}}, {})}, True),
        ({}, {"names": _Names([ASKED])}, True),
        ({"orig_dport": 81}, {"names": _Names([ASKED])}, False),
        ({}, {"names": _Names(connections=np.array([[1, 0]]))}, True),
        ({}, {"names": _Names(connections=np.array([[1, -1]]))}, False),
        ({}, {"quotes": [{"src": "172.17.0.2", "dst": OTHER}]}, False),
        ({"orig_dport": 81}, {"quotes": [{"src": "172.17.0.2", "dst": OTHER}]}, False),
        ({"src": "172.17.0.3", "reply_src": WEB}, {"quotes": [{"src": "10.0.0.1", "dst": WEB}]}, True),
        ({"dst": WEB, "orig_dport": 81}, {"quotes": [{"src": WEB, "dst": "172.17.0.2"}]}, True),
        ({"src": "172.17.0.3", "orig_sport": 40_000, "reply_dport": 40_000}, {}, False),
        ({**UDP, "src": "172.17.0.3", "reply_dst": "172.17.0.2", "reply_dport": 40_000}, {}, False),
    ],
)
def test_what_belongs_together(second: dict[str, Any], options: dict[str, Any], together: bool) -> None:
    """A client's calls of one port, relays, doubts, names, and what ICMP errors speak of."""
    rows = [_connection(0, seen_reply=second.get("seen_reply", True)), _connection(1, **{"dst": OTHER, **second})]
    errands, _ = _errands(rows, **options)

    assert errands.of_connections().tolist() == ([0, 0] if together else [0, 1])


REFUSED: dict[str, Any] = {"reset": True, "served": False}


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (REFUSED, {"src": "172.17.0.3"}, True),
        (REFUSED | {"served": True}, {"src": "172.17.0.3"}, False),
        (REFUSED, {"src": "172.17.0.3", "dst": "192.0.2.1", "reply_src": WEB}, True),
        (REFUSED, {"src": "172.17.0.3", "orig_dport": 81, "reply_sport": 81}, False),
        (REFUSED, {"orig_dport": 81, "reply_sport": 81}, True),
        ({"seen_reply": False}, {"orig_dport": 81, "reply_sport": 81}, True),
        ({"seen_reply": False}, {"src": "172.17.0.3"}, False),
        ({"seen_reply": False}, {"dst": OTHER, "orig_dport": 81, "reply_sport": 81}, False),
        ({}, {"orig_dport": 81, "reply_sport": 81}, False),
        (REFUSED, {"src": "172.17.0.3", "frames": 200_000}, True),
        (REFUSED, {"src": "172.17.0.3", "frames": 200_001}, False),
    ],
)
def test_a_service_that_refuses(first: dict[str, Any], second: dict[str, Any], together: bool) -> None:
    """All that anybody wants of it, and what else its client gets of the same server."""
    rows = [_connection(0, **{"served": True, **first}), _connection(1, **{"served": True, **second})]

    assert (_errands(rows)[0].of_connections().tolist() == [0, 0]) is together


def test_one_container_of_several_addresses() -> None:
    """It is one client, whichever of them it has in a network."""
    addresses = tuple(map(ip_address, ("172.17.0.2", "172.18.0.2")))
    hosts = Hosts.of(HostState(containers=tuple(Container("c1", "net", None, (ip,)) for ip in addresses)))
    rows = [_connection(0, **QUIET), _connection(1, "172.18.0.2", OTHER, **QUIET)]

    assert _errands(rows)[0].of_connections().tolist() == [0, 1]
    assert _errands(rows, hosts=hosts)[0].of_connections().tolist() == [0, 0]


@pytest.mark.parametrize(("after_ns", "together"), [(S // 2, True), (400 * S, False)])
def test_what_a_client_turned_to_then(after_ns: int, together: bool) -> None:
    """Soon after a connection that came to nothing, to the same port elsewhere."""
    rows = [_connection(0, seen_reply=False), _connection(1, dst=OTHER, first_ns=after_ns, last_ns=after_ns)]

    assert (_errands(rows)[0].of_connections().tolist() == [0, 0]) is together


def test_datagrams_of_one_port() -> None:
    """Whoever uses it, before and after translation."""
    rows = [_connection(0, **UDP), _connection(1, WEB, "192.0.2.1", orig_sport=80, reply_dport=80, **UDP)]

    assert _errands(rows)[0].of_connections().tolist() == [0, 0]


def test_data_connections_of_ftp() -> None:
    """They go to other ports of the same server."""
    control = {"orig_dport": 21, "reply_sport": 21}
    rows = [_connection(0, **control), _connection(1, orig_dport=40_000, reply_sport=40_000), _connection(2, dst=OTHER)]

    assert _errands(rows)[0].of_connections().tolist() == [0, 0, 2]


def test_the_first_connection_that_an_error_may_be_about() -> None:
    """By the ends of the packet that it quotes, in either direction, translated or not."""
    rows = [_connection(0, "10.0.0.1"), _connection(1, reply_dst="192.0.2.1"), _connection(2)]
    errands, quotes = _errands(rows, quotes=[{"src": src, "dst": dst} for src, dst in (
        (WEB, "172.17.0.2"), ("192.0.2.1", WEB), ("10.0.0.1", WEB), ("10.0.0.2", WEB))])  # fmt: skip

    assert errands.between(quotes).tolist() == [1, 1, 0, -1]

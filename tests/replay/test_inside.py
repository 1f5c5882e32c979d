"""What runs inside reads the kernel's messages: literal bytes of nfnetlink_trace, and counters."""

import struct
from typing import Any

from analyzer.replay import inside


def _attribute(kind: int, value: bytes) -> bytes:
    padded = value + b"\0" * (-len(value) % 4)
    return struct.pack("=HH", 4 + len(value), kind) + padded


def _message(*attributes: bytes) -> bytes:
    body = b"".join(attributes)
    return struct.pack("=IHHII", 20 + len(body), 0x0A11, 0, 0, 0) + struct.pack("=BBH", 2, 0, 0) + body


def test_a_rule_that_matched() -> None:
    """Table, chain, handle, verdict and where it jumps; the beginning of the packet stands in the first one."""
    verdict = _attribute(1, struct.pack("!i", -3)) + _attribute(2, b"DOCKER-USER\0")
    data = _message(
        _attribute(6, struct.pack("!I", 7)), _attribute(1, b"filter\0"), _attribute(2, b"FORWARD\0"),
        _attribute(4, struct.pack("!I", 3)), _attribute(3, struct.pack("!Q", 9)), _attribute(5 | 0x8000, verdict),
        _attribute(10, struct.pack("!I", 2)), _attribute(8, b"\x45\0\0\x28"), _attribute(15, struct.pack("!I", 2)),
    )  # fmt: skip
    (event,) = inside.traced(data)

    assert event == {
        "id": 7, "family": 2, "table": "filter", "chain": "FORWARD", "handle": 9, "type": 3, "verdict": -3,
        "jump": "DOCKER-USER", "policy": None, "iif": 2, "oif": None, "network": "45000028",
    }  # fmt: skip


def test_several_messages_and_what_is_cut() -> None:
    """One after the other; what is no whole message ends the reading."""
    one = _message(_attribute(6, struct.pack("!I", 1)), _attribute(16, struct.pack("!I", 0)))

    assert [event["policy"] for event in inside.traced(one + one)] == [0, 0]
    assert inside.traced(b"") == []
    assert inside.traced(one[:10]) == []
    assert len(inside.traced(one + struct.pack("=I", 4) + b"\0" * 40)) == 1


def test_counters(tmp_path: Any, monkeypatch: Any) -> None:
    """As nstat names them: the group before the name; IPv6's have names of their own."""
    (tmp_path / "snmp").write_text("Ip: Forwarding InReceives\nIp: 1 20\nTcp: InSegs\nTcp: 5\n")
    (tmp_path / "snmp6").write_text("Ip6InReceives                   \t3\nIp6InDelivers\t2\n")
    monkeypatch.setattr(inside, "COUNTED", (str(tmp_path / "snmp"), str(tmp_path / "nowhere"), str(tmp_path / "snmp6")))

    assert inside.counters() == {
        "IpForwarding": 1, "IpInReceives": 20, "TcpInSegs": 5, "Ip6InReceives": 3, "Ip6InDelivers": 2
    }  # fmt: skip

"""What is mistaken for something else, from recordings: a protocol, a way out, a direction, a list."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.decode.tls import is_alert, is_hello, server_name
from analyzer.explain.spoken import asked_names, is_request
from analyzer.model import Finding, Severity
from tests.build import tcp
from tests.explain.scene import Scene
from tests.explain.state import dumps, network
from tests.lab.faults.cases import RECORDED

SYN, SYN_ACK, ACK, PSH = 2, 0x12, 0x10, 0x18


def _first(name: str) -> Finding:
    return analyze([RECORDED / f"{name}.tar.zst"]).findings[0]


@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [
        ("tls-to-plain.bridge", "it speaks TLS to a port of web that speaks plain HTTP", "Use http:// for this port"),
        (
            "one-way-zone.bridge",
            "a rule puts only one direction into a conntrack zone: “-A PREROUTING -i docker0 -j CT --zone 7”",
            "Delete the rule",
        ),
        (
            "detour.bridge",
            "the default route by dead0 comes first, and nothing comes back by dead0",
            "See why 192.168.9.1",
        ),
        (
            "counted-down.bridge",
            "something beyond wlan0 drops TTL 63, what other machines send through this host",
            "--ttl-set 64",
        ),
        (
            "lacking-set.user",
            "set inside of inet fault transit lacks br-appnet, and its policy is DROP",
            "Add the interface",
        ),
        ("banned-range.bridge", "rule 1 of transit drops it, for set banned has 198.51.100.64/26", "Take it out"),
    ],
)
def test_the_first_finding(name: str, cause: str, remedy: str) -> None:
    """It names the very thing, and what helps."""
    found = _first(name)

    assert found.severity is Severity.ERROR
    assert found.title.endswith(f": {cause}")
    assert remedy in found.remedy


def test_commands_change_just_that() -> None:
    """The element, the interface, the rule."""
    assert _first("banned-range.bridge").commands == ("nft delete element ip fault banned { 198.51.100.64/26 }",)
    assert _first("lacking-set.user").commands == ('nft add element inet fault inside { "br-appnet" }',)
    assert _first("one-way-zone.bridge").commands == ("iptables -t raw -D PREROUTING -i docker0 -j CT --zone 7",)


def _hello(name: bytes) -> bytes:
    """Return a ClientHello with a server's name (RFC 8446, RFC 6066)."""
    sni = b"\0\0" + (len(name) + 5).to_bytes(2) + (len(name) + 3).to_bytes(2) + b"\0" + len(name).to_bytes(2) + name
    other = b"\0\x17\0\0"
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(other + sni).to_bytes(2) + other + sni
    return b"\x16\3\1" + (len(body) + 4).to_bytes(2) + b"\1" + len(body).to_bytes(3) + body


def test_names_of_hellos() -> None:
    """The name that is asked for; nothing of what is cut, or is none."""
    text = _hello(b"sso.example")

    assert is_hello(text)
    assert server_name(text) == "sso.example"
    assert server_name(_hello(b"no\nname")) is None
    assert [server_name(text[:cut]) for cut in range(6, len(text))] == [None] * (len(text) - 6)
    assert not is_hello(b"GET / HTTP/1.1\r\n")
    assert is_alert(b"\x15\3\3\0\2\2\x46")
    assert is_request(b"GET / HTTP/1.1\r\n")
    assert not is_request(b"GETTING / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("asked", "answered", "told"),
    [
        (_hello(b"x"), b"HTTP/1.1 400 Bad Request\r\n", "speaks TLS to a port"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x15\3\3\0\2\2\x46", "speaks plain HTTP to a port"),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 400 Bad\r\n\r\nplain HTTP request sent to HTTPS port",
            "speaks plain HTTP",
        ),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n", ""),
        (_hello(b"x"), _hello(b"x"), ""),
        (b"", b"HTTP/1.1 200 OK\r\n", ""),
    ],
    ids=["tls", "alert", "nginx", "bad-request", "answered", "unasked"],
)
def test_two_protocols(tmp_path: Path, asked: bytes, answered: bytes, told: str) -> None:
    """Only what both said tells."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.out(0, 6, tcp(40_000, 8443, 1, 0, SYN))
    scene.back(1, 6, tcp(8443, 40_000, 100, 2, SYN_ACK))
    if asked:
        scene.out(2, 6, tcp(40_000, 8443, 2, 101, PSH, payload=asked))
    scene.back(3, 6, tcp(8443, 40_000, 101, 2 + len(asked), PSH, payload=answered))
    found = scene.findings("wrong-protocol")

    assert len(found) == bool(told)
    assert all(told in one.title for one in found)
    assert asked_names(scene.case(), [0]) == ({0: "x"} if asked.startswith(b"\x16") else {})


def test_a_network_that_was_made_not_to_masquerade(tmp_path: Path) -> None:
    """That is why nothing translates; Docker adds no rule at its next start."""
    options = {"com.docker.network.bridge.name": "docker0", "com.docker.network.bridge.enable_ip_masquerade": "false"}
    changed = dumps(
        docker_network_inspect=[network(Options=options)], iptables_save="*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n"
    )
    scene = Scene(tmp_path, dumps=changed)
    for number in range(3):
        scene.out(number * 1000, 6, tcp(40_000, 80, 1, 0, SYN), masked=None)
    (found,) = scene.findings("masquerade-missing")

    assert found.title.endswith("network bridge was made with enable_ip_masquerade=false")
    assert "systemctl restart docker" not in found.remedy

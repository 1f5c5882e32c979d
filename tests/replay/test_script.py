"""A replay as one shell script: what is built, what is sent, and that nothing of a dump becomes a command."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.model.replay import Account, End
from analyzer.replay.plan import Command, Plan
from analyzer.replay.play import Shown
from analyzer.replay.script import script
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, ether, ipv4, ipv6, udp

FRAME = ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 17, udp(1, 53, b"x")))
PLAN = Plan(peers={"veth1": "p0", "wlan0": "p1"})


def _shown(
    end: End, out: str = "wlan0", interface: str | None = "veth1", summary: str = "UDP", number: int = 3
) -> Shown:
    return Shown(number, summary, FRAME, interface, Account(end, "", out, ""))


def _packets(text: str) -> list[tuple[str, str, str, str]]:
    """Read the packets of a script, as its own interpreter does."""
    told: dict[str, Any] = {}
    exec("PACKETS = [" + text.partition("PACKETS = [")[2].partition("\n]\n")[0] + "\n]", told)
    packets: list[tuple[str, str, str, str]] = told["PACKETS"]
    return packets


@pytest.mark.parametrize(
    ("shown", "out"),
    [
        (_shown(End.FORWARDED), "p1"),
        (_shown(End.FORWARDED, "docker0"), "nowhere"),
        (_shown(End.DROPPED), "nowhere"),
        (_shown(End.DELIVERED), "nowhere"),
    ],
)
def test_a_packet_is_expected_where_it_came_out_before(shown: Shown, out: str) -> None:
    """By the outer end of the interface; what the host kept or stopped comes out nowhere."""
    assert _packets(script(PLAN, [shown])) == [("J3 UDP", "p0", FRAME.hex(), out)]


def test_what_the_host_sends_itself_is_left_out() -> None:
    """It does not come in by any interface; the others are counted."""
    text = script(PLAN, [_shown(End.FORWARDED, number=1), _shown(End.FORWARDED, interface=None), _shown(End.DROPPED)])

    assert [what for what, *_ in _packets(text)] == ["J1 UDP", "J3 UDP"]
    assert "and 2 packets sent in" in text


def test_words_of_commands_are_quoted_and_what_they_read_is_taken_as_it_is(tmp_path: Path) -> None:
    """Also a line that looks like its end; only the namespace outside is a variable."""
    plan = Plan(
        commands=[
            Command(("printf", "%s|", "$(touch x)", "a'b", "OUTSIDE")),
            Command(("cat",), stdin="END\n$HOME `touch x`\nEND_x"),
            Command(("cat",), stdin="last\n"),
        ],
        settings={"net.ipv4.ip_forward": "1;touch x"},
    )
    text = script(plan, [])
    built = text.partition("router_solicitations=0\n")[2].partition("\ntry sysctl")[0]
    ran = subprocess.run(
        ["sh"], input=f'try() {{ "$@"; }}\nOUTSIDE=7\n{built}', capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert ran.stdout == "$(touch x)|a'b|7|END\n$HOME `touch x`\nEND_x\nlast\n"
    assert "try sysctl -qw 'net.ipv4.ip_forward=1;touch x'\n" in text
    assert list(tmp_path.iterdir()) == []


def test_what_a_dump_says_does_not_end_a_comment_or_a_text() -> None:
    """Line ends become question marks, or are written as what they are."""
    plan = Plan(peers={"veth1\nreboot": "p0"}, missing=["a rule\nreboot\r\x1b"])
    text = script(plan, [_shown(End.DROPPED, interface="veth1\nreboot", summary="UDP\nPYTHON\nreboot")])

    assert "# not built: a rule?reboot??\n" in text
    assert "# veth1?reboot\n" in text
    assert not {"reboot", "PYTHON"} & set(text.partition("<<'PYTHON'")[2].rpartition("PYTHON\nfound")[0].splitlines())
    assert _packets(text)[0][0] == "J3 UDP\nPYTHON\nreboot"


def test_a_shell_and_an_interpreter_take_it() -> None:
    """All of it is read without an error."""
    text = script(PLAN, [_shown(End.FORWARDED)])
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
    compile(text.partition("<<'PYTHON'\n")[2].partition("\nPYTHON\n")[0], "script", "exec")


@pytest.fixture
def same() -> Callable[[bytes, bytes], bool]:
    """The script's own comparison of two frames."""
    told: dict[str, Any] = {}
    exec("def same" + script(PLAN, []).partition("\ndef same")[2].partition("\n\n\n")[0], told)
    function: Callable[[bytes, bytes], bool] = told["same"]
    return function


def _left(packet: bytes, kind: int = 0x0800) -> bytes:
    return ether(UPLINK, GATEWAY, packet, kind)


def test_a_packet_is_known_again_behind_nat(same: Callable[[bytes, bytes], bool]) -> None:
    """Addresses, TTL and MACs may be others; length, identification and protocol may not."""
    body = udp(1, 53, b"x")
    six = [ipv6("fd00::2", "2001:db8::1", 17, body), ipv6("2001:db8::9", "2001:db8::1", 17, body, hops=63)]

    assert same(FRAME, _left(ipv4("192.168.1.100", "8.8.8.8", 17, body, ttl=63)))
    assert not same(FRAME, _left(ipv4("192.168.1.100", "8.8.8.8", 17, body, ident=2)))
    assert not same(FRAME, _left(ipv4("192.168.1.100", "8.8.8.8", 17, body + b"x")))
    assert not same(FRAME, _left(ipv4("192.168.1.100", "8.8.8.8", 6, body)))
    assert same(_left(six[0], 0x86DD), _left(six[1], 0x86DD))
    assert not same(_left(six[0], 0x86DD), _left(ipv6("fd00::2", "2001:db8::1", 17, body + b"x"), 0x86DD))
    assert not same(FRAME, _left(six[0], 0x86DD))

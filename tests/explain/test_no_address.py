"""Answers of name servers that lead nowhere: without an address, or with one of nobody."""

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.explain.hypotheses.no_address import causes
from tests.build import udp
from tests.explain.dns import ask, message
from tests.explain.scene import SERVER, Scene, frame, packet

HYPOTHESIS = "no-address-for-name"
NOERROR, CUT, UNKNOWN = 0x8180, 0x8380, 0x8183
LOOPBACK = "00:00:00:00:00:00"


def _told(number: int, name: str, kind: str, addresses: tuple[str, ...], flags: int = NOERROR, more: int = 0) -> bytes:
    """Build an answer; *more* records are announced, and cut off."""
    head = struct.pack("!6H", number, flags, 1, len(addresses) + more, 0, 0)
    packed = [ip_address(text).packed for text in addresses]
    types = {4: 1, 16: 28}
    return head + message(number, name, kind)[12:] + b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", types[len(one)], 1, 60, len(one)) + one for one in packed
    )  # fmt: skip


def _resolve(scene: Scene, number: int, name: str, four: tuple[str, ...] | None, six: tuple[str, ...] | None = (), *,
             flags: int = NOERROR, more: int = 0, server: str = SERVER) -> None:  # fmt: skip
    """Let the container ask for both kinds; None is not asked for."""
    for place, (kind, addresses) in enumerate((("A", four), ("AAAA", six))):
        if addresses is not None:
            of = 10 * number + place
            ask(scene, of, of, name, kind, server=server)
            scene.back(of + 5, 17, udp(53, 30_000 + of, _told(of, name, kind, addresses, flags, more)), src=server)


def _end(scene: Scene) -> None:
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")


@pytest.mark.parametrize(
    ("four", "six", "kinds"),
    [
        ((), (), ["none"]),
        ((), None, ["none"]),
        (None, (), []),
        (("0.0.0.0",), ("::",), ["nobody"]),
        (("127.0.0.1",), (), ["nobody"]),
        (("0.0.0.0", "192.0.2.7"), (), []),
        ((), ("2001:db8::7",), []),
    ],
    ids=["empty", "a-alone", "aaaa-alone", "unspecified", "loopback", "one-is-good", "the-other-version"],
)
def test_one_address_that_leads_somewhere_is_enough(
    tmp_path: Path, four: tuple[str, ...] | None, six: tuple[str, ...] | None, kinds: list[str]
) -> None:
    """All answers for a name count together, and who was asked for IPv6 alone has not said that there is none."""
    scene = Scene(tmp_path)
    _resolve(scene, 1, "db.example", four, six)
    _end(scene)

    assert [finding.facts["kind"] for finding in scene.findings(HYPOTHESIS)] == kinds


@pytest.mark.parametrize(
    ("flags", "more"), [(UNKNOWN, 0), (CUT, 0), (NOERROR, 1)], ids=["no-such-name", "truncated", "cut-in-the-capture"]
)
def test_an_answer_that_was_not_read_whole_is_not_accused(tmp_path: Path, flags: int, more: int) -> None:
    """An address may stand in what is missing; and that a name is unknown is another matter."""
    scene = Scene(tmp_path)
    _resolve(scene, 1, "db.example", (), flags=flags, more=more)
    _end(scene)

    assert list(causes(scene.case())) == []


@pytest.mark.parametrize("name", ["host.docker.internal", "db.localhost", "box.localdomain"])
def test_names_of_ones_own_may_be_on_loopback(tmp_path: Path, name: str) -> None:
    """There it is meant so."""
    scene = Scene(tmp_path)
    _resolve(scene, 1, name, ("127.0.0.1",))
    _end(scene)

    assert scene.findings(HYPOTHESIS) == []


def test_dockers_own_server_has_a_check_of_its_own(tmp_path: Path) -> None:
    """What 127.0.0.11 answers is not told here."""
    scene = Scene(tmp_path)
    asked, told = (udp(30_000, 53, message(1, "db.example")), udp(53, 30_000, _told(1, "db.example", "A", ())))
    for ms, src, dst, body in ((0, "172.17.0.2", "127.0.0.11", asked), (5, "127.0.0.11", "172.17.0.2", told)):
        scene.see("lo", ms, frame(LOOPBACK, LOOPBACK, packet(src, dst, 17, body, ident=int(ms))))
    _end(scene)

    assert scene.findings(HYPOTHESIS) == []


def test_each_server_and_kind_is_told_by_itself(tmp_path: Path) -> None:
    """With all its names, however they were written, the answers that were given, and the frames of those."""
    scene = Scene(tmp_path)
    _resolve(scene, 1, "ads.example", ("0.0.0.0",), None)
    _resolve(scene, 2, "Ads.Example", ("127.0.0.1",), None)
    _resolve(scene, 3, "track.example", ("0.0.0.0",), None)
    _resolve(scene, 4, "none.example", (), None)
    _resolve(scene, 5, "none.example", (), None, server="9.9.9.9")
    _end(scene)
    found = {(finding.facts["server"], finding.facts["kind"]): finding for finding in scene.findings(HYPOTHESIS)}

    assert set(found) == {(SERVER, "nobody"), (SERVER, "none"), ("9.9.9.9", "none")}
    blocked = found[SERVER, "nobody"]
    assert blocked.facts["questions"] == 3
    assert blocked.facts["given"] == ["0.0.0.0", "127.0.0.1"]
    assert blocked.facts["asked_names"] == ["ads.example", "Ads.Example", "track.example"]
    assert len(blocked.evidence) == 3


def test_a_name_is_the_same_in_capitals(tmp_path: Path) -> None:
    """One good answer is enough, however the name was written."""
    scene = Scene(tmp_path)
    _resolve(scene, 1, "db.example", (), None)
    _resolve(scene, 2, "DB.example", ("192.0.2.7",), None)
    _end(scene)

    assert scene.findings(HYPOTHESIS) == []

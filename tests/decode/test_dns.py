"""DNS messages: literal bytes, cut and corrupt ones, and whole captures against tshark."""

import subprocess
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.decode.dns import TYPES, is_message, parse
from analyzer.errors import HoptraceError
from tests.needs import CORPUS

QUESTION = bytes.fromhex("1234 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001")
ANSWER = bytes.fromhex(
    "1234 8180 0001 0001 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001 c00c 0001 0001 0000003c 0004 5db8d822"
)
NOT_FOUND = bytes.fromhex("1234 8183 0001 0000 0000 0000 03 77 77 77 00 001c 0001")


def test_a_question() -> None:
    """Id, name and type."""
    message = parse(QUESTION)

    assert message is not None
    assert (message.id, message.response, message.name, message.kind) == (0x1234, False, "example.com", "A")


def test_an_answer() -> None:
    """The records, and the RCODE by its name."""
    found, missing = parse(ANSWER), parse(NOT_FOUND)

    assert found is not None
    assert (found.response, found.outcome, found.records) == (True, "NOERROR", ("93.184.216.34",))
    assert missing is not None
    assert (missing.outcome, missing.name, missing.kind) == ("NXDOMAIN", "www", "AAAA")


@pytest.mark.parametrize("length", range(len(ANSWER) + 1))
def test_a_cut_message_still_has_its_question(length: int) -> None:
    """Never an exception; the name as soon as it is there."""
    message = parse(ANSWER[:length])

    assert (message is not None) == (length >= len(QUESTION))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(b"", id="empty"),
        pytest.param(QUESTION[:4] + b"\0\2" + QUESTION[6:], id="two-questions"),
        pytest.param(QUESTION[:12] + b"\xc0\x0c\0\1\0\1", id="compressed-question"),
        pytest.param(QUESTION[:12] + b"\x3f" * 200, id="name-without-end"),
    ],
)
def test_what_is_no_message(wrong: bytes) -> None:
    """Says so, instead of guessing."""
    assert parse(wrong) is None


def test_answers_that_point_at_themselves() -> None:
    """A compression loop gives the question, and no records."""
    message = parse(ANSWER[:29] + b"\xc0\x1d" + ANSWER[31:])

    assert message is not None
    assert message.name == "example.com"


@pytest.mark.corpus
@pytest.mark.tshark
def test_questions_are_those_that_tshark_reads() -> None:
    """Names and types of every capture of the corpus that has some."""
    compared = 0
    for path in sorted(Path(CORPUS or "").rglob("*.pcap*")):
        try:
            names = analyze([path]).names
        except HoptraceError:
            continue
        if names:
            assert {(one.name.lower(), one.kind) for one in names} == _by_tshark(path), path.name
            compared += 1

    assert compared >= 10


def _by_tshark(path: Path) -> set[tuple[str, str]]:
    asked = "udp.port == 53 && dns.flags.response == 0 && !icmp && dns.count.queries == 1"
    fields = ["-T", "fields", "-e", "dns.qry.name", "-e", "dns.qry.type", "-E", "occurrence=f"]
    done = subprocess.run(
        ["tshark", "-r", str(path), "-Y", asked, *fields], capture_output=True, text=True, check=False
    )
    pairs = [line.split("\t") for line in done.stdout.splitlines()]
    return {(name.lower().replace("<root>", "."), TYPES.get(int(kind), kind)) for name, kind in pairs if kind}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ((0, b""), True),
        ((2, b"\x84\0\0\0\0\1"), True),
        ((2, b"\x28\0"), False),
        ((2, b"\0\x4f"), False),
        ((4, b"\xff\xff"), False),
        ((6, b"\x0f\xff"), False),
        ((4, b"\0\0"), False),
        ((25, b"\0\x63"), False),
        ((12, b"\xc0"), False),
    ],
)
def test_a_message_is_known_by_its_first_bytes(changed: tuple[int, bytes], message: bool) -> None:
    """Of mDNS as well: an answer without a question. Operations, types and counts that nobody uses are none."""
    data = bytearray(bytes.fromhex("000701000001000000000000") + b"\x07example\x03org\0\0\1\0\1")
    data[changed[0] : changed[0] + len(changed[1])] = changed[1]

    assert is_message(bytes(data)) is message
    assert not is_message(bytes(data)[:11])

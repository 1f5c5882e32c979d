"""What TCP connections came to, by the flags that went each way."""

from pathlib import Path

import pytest

from tests.build import tcp
from tests.explain.scene import Scene

FIN, SYN, RST, PSH, ACK, ECN = 0x01, 0x02, 0x04, 0x08, 0x10, 0xC0
Flags = list[tuple[bool, int]]
"""By packet: whether it goes back, and its flags."""


def _counts(folder: Path, flags: Flags) -> tuple[list[int], list[list[int]]]:
    """Return what was counted of one connection, and the lists that it is in."""
    scene = Scene(folder)
    for number, (back, bits) in enumerate(flags):
        if back:
            scene.back(number * 10, 6, tcp(80, 40_000, 500 + number, 2, bits))
        else:
            scene.out(number * 10, 6, tcp(40_000, 80, 1 if bits & SYN else 2, 2 if bits & ACK else 0, bits))
    found = scene.case().handshakes
    counted = [found.asked, found.granted, found.refused, found.answered, found.went_on]
    return [int(count[0]) for count in counted], [found.unanswered(), found.rejected()]


@pytest.mark.parametrize(
    ("flags", "counts", "unanswered", "rejected"),
    [
        ([(False, SYN)], [1, 0, 0, 0, 0], True, False),
        ([(False, SYN), (False, SYN)], [2, 0, 0, 0, 0], True, False),
        ([(False, SYN | ECN)], [1, 0, 0, 0, 0], True, False),
        ([(False, SYN), (True, SYN | ACK)], [1, 1, 0, 1, 0], False, False),
        ([(False, SYN), (True, SYN | ACK), (True, RST)], [1, 1, 1, 2, 0], False, False),
        ([(False, SYN), (True, RST | ACK)], [1, 0, 1, 1, 0], False, True),
        ([(False, SYN), (True, RST)], [1, 0, 1, 1, 0], False, True),
        ([(False, SYN), (True, ACK)], [1, 0, 0, 1, 0], False, False),
        ([(False, SYN), (False, ACK)], [1, 0, 0, 0, 1], False, False),
        ([(False, SYN), (False, ACK | PSH)], [1, 0, 0, 0, 1], False, False),
        ([(False, SYN), (False, RST)], [1, 0, 0, 0, 0], True, False),
        ([(False, SYN), (False, RST | ACK)], [1, 0, 0, 0, 0], True, False),
        ([(False, SYN | RST)], [0, 0, 0, 0, 0], False, False),
    ],
    ids=["syn", "twice", "ecn", "granted", "reset-later", "refused", "refused-bare", "odd-answer", "went-on",
         "data-goes-on", "given-up", "given-up-ack", "nonsense"],
)  # fmt: skip
def test_packets_are_counted_by_kind(
    tmp_path: Path, flags: Flags, counts: list[int], unanswered: bool, rejected: bool
) -> None:
    """A SYN is unanswered if nothing came back and nothing shows that something did; rejected if RST came first."""
    found, (silent, refused) = _counts(tmp_path, flags)

    assert found == counts
    assert (silent, refused) == ([0] * unanswered, [0] * rejected)


def test_other_protocols_count_for_nothing(tmp_path: Path) -> None:
    """There is one number a connection, zero where it is not TCP's."""
    scene = Scene(tmp_path)
    scene.out(0, 17, (40_000).to_bytes(2, "big") + (7777).to_bytes(2, "big") + b"\0\x0c\0\0data")
    scene.out(10, 6, tcp(40_001, 80, 1, 0, SYN))
    found = scene.case().handshakes

    assert (found.asked.tolist(), found.answered.tolist()) == ([0, 1], [0, 0])
    assert found.unanswered() == [1]

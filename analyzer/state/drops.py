"""Reads what ``hoptrace capture --drops`` keeps: the kernel's own account of what it dropped."""

from collections.abc import Iterable

from analyzer.model.drop import Drop, Sighting

MOST = 100_000


def parse_drops(lines: Iterable[str]) -> tuple[tuple[Drop, ...], int]:
    """
    Read ``TIME REASON FUNCTION PROTOCOL INTERFACE,LENGTH,TIME,r|s ...``, and ``lost N`` where the kernel told less.

    Returns:
        Drops, the first 100,000, and how many events the kernel could not tell. Lines that are none are passed over.
    """
    found: list[Drop] = []
    lost = 0
    for line in lines:
        words = line.split()
        try:
            if words[:1] == ["lost"]:
                lost += int(words[1])
            elif len(words) > 4 and len(found) < MOST:
                found.append(Drop(_ns(words[0]), words[1], words[2], tuple(map(_sighting, words[4:]))))
        except (ValueError, IndexError):
            continue
    return tuple(found), lost


def _sighting(word: str) -> Sighting:
    interface, length, time, kind = word.rsplit(",", 3)
    return Sighting(interface, int(length), _ns(time), kind == "r")


def _ns(text: str) -> int:
    """Read seconds with six decimals, exactly."""
    seconds, _, micros = text.partition(".")
    return int(seconds) * 1_000_000_000 + int(micros[:6].ljust(6, "0")) * 1000

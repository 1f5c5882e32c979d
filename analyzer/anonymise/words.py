"""
Words replaced in texts that commands print, and in names: those that a command, a kernel or an engine uses stay.

What is no known word is a name, and gets another one as long, of letters, so that names keep their form (``shop-web-1``
and ``shop_default`` still begin alike), fit where names may not be long, and packets keep their lengths. Digits stay,
but for long numbers in names.
"""

import re
from functools import lru_cache
from importlib import resources
from ipaddress import ip_address
from string import ascii_lowercase

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.key import LARGEST, Key

ROUNDS = 8
"""Of the Feistel network over numbers of letters: more than the four that make it as good as its parts."""
SHORTEST = 3
"""Letters of a word that is replaced: what is shorter tells nobody from others."""
ID = 12
"""Characters of a short id, by which engines call a container: the long one's first."""

_IP4 = r"(?<!\d)(?<!\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\d)"
_SPELT = r"(?<!\d)\d{1,3}(?:-\d{1,3}){3}(?!\d)|(?<!\d)\d{1,3}(?:_\d{1,3}){3}(?!\d)"
_MAC = (
    "|".join(rf"(?:[0-9A-Fa-f]{{2}}{by}){{5}}[0-9A-Fa-f]{{2}}" for by in ":-")
    + r"|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}"
)
_TEXT = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ][\d:.]+Z?)"
    r"|(?P<reverse>(?<![\w.-])(?:(?:\d{1,3}\.){1,4}in-addr|(?:[0-9A-Fa-f]\.){1,32}ip6)\.arpa(?![\w-]))"
    rf"|(?P<mac>(?<![^\W_])(?<!:)(?:{_MAC})(?![^\W_])(?!:))"
    r"|(?P<ip6>(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?![\w:]))"
    rf"|(?P<ip4>{_IP4})"
    rf"|(?P<spelt>{_SPELT})"
    r"|(?P<option>(?:(?<=\s--)|(?<=^--))[a-z][a-z0-9-]+|\b(?:veth|cali|lxc|eni)\w*|\b0x[0-9a-f]+)"
    r"|(?P<id>(?<=\bbr-)\d{12}(?![^\W_])|(?<![^\W_])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}(?![^\W_]))"
    rf"|(?P<word>(?=\d*[^\W\d_])(?:[^\W\d_]++|(?!{_IP4}|{_SPELT})\d)+)"
)  # fmt: skip
_APART = re.compile("[-_.:]")
_LETTERS = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d{5,}")
"""Long ones in names are replaced: a year may stay, an account's number may not."""


class Words:
    """Which word stands for which."""

    def __init__(self, key: Key, addresses: Addresses) -> None:
        """*addresses* are those in texts."""
        self._key, self._addresses = key, addresses
        self._letters = lru_cache(maxsize=1 << 16)(self._other_letters)

    def text(self, text: str) -> str:
        """Replace all that is an address, an id or a name in a text."""
        return _TEXT.sub(self._found, text)

    def name(self, name: bytes) -> bytes:
        """Replace a name's part as it stands in a packet, in any encoding; it is as long."""
        text = name.decode("latin-1")
        made = (_NUMBER.sub(self._digits, text) if text.isdigit() else self.text(text)).encode("latin-1")
        return made[: len(name)].ljust(len(name), b"x")

    def _found(self, found: re.Match[str]) -> str:
        kind, text = found.lastgroup, found[0]
        if kind == "mac":
            return self._mac(text)
        if kind == "reverse":
            return ".".join(self.reverse(text.split(".")))
        if kind in ("ip4", "ip6"):
            try:
                return str(self._addresses.ip(ip_address(text)))
            except ValueError:
                return self.spelt(text) if kind == "ip4" else _LETTERS.sub(lambda run: self._letters(run[0]), text)
        if kind == "spelt":
            return self.spelt(text)
        if kind == "id":
            return self.id(text)
        return self._word(text) if kind == "word" else text

    def spelt(self, text: str) -> str:
        """Replace an address in a name, ``ip-10-0-0-5``: each number by as many digits of the new one."""
        numbers, apart = _APART.split(text), _APART.findall(text)
        if any(int(one) > 255 for one in numbers):
            return text
        told = self._addresses.packed(bytes(map(int, numbers)))
        new = [fit(one, len(old)) for one, old in zip(told, numbers, strict=True)]
        return new[0] + "".join(by + one for by, one in zip(apart, new[1:], strict=True))

    def reverse(self, labels: list[str]) -> list[str]:
        """Replace what a reverse name spells, of a whole address or a zone (RFC 1035 section 3.5, RFC 3596)."""
        *spelt, zone, arpa = labels
        if zone.lower() == "ip6":
            told = self._addresses.packed(bytes.fromhex("".join(reversed(spelt)).ljust(32, "0"))).hex()
            return [*reversed(told[: len(spelt)]), zone, arpa]
        numbers = [int(one) for one in reversed(spelt)]
        if any(one > 255 for one in numbers):
            return labels
        new = self._addresses.packed(bytes(numbers).ljust(4, b"\0"))[: len(numbers)]
        return [*(fit(one, len(old)) for one, old in zip(reversed(new), spelt, strict=True)), zone, arpa]

    def _mac(self, text: str) -> str:
        """Replace a MAC as it is written: with colons or dashes, or points between two bytes each."""
        new = self._addresses.mac(bytes.fromhex(_APART.sub("", text)))
        return new.hex(".", 2) if "." in text else new.hex(text[2])

    def id(self, text: str) -> str:
        """Replace a hexadecimal id; the short form of a long one is replaced by the short form of its replacement."""
        short = self._key.digest(b"id", text[:ID].encode(), 32).hex()[: len(text[:ID])]
        return short + self._key.digest(b"long", text.encode(), 32).hex()[: len(text) - ID] if len(text) > ID else short

    def _word(self, word: str) -> str:
        """Replace letters, and of a word that they are replaced in, long numbers."""
        new = _LETTERS.sub(lambda run: self._letters(run[0]), word)
        return _NUMBER.sub(self._digits, new) if new != word else word

    def _digits(self, found: re.Match[str]) -> str:
        made = self._key.digest(b"digits", found[0].encode(), LARGEST)
        return "".join(str(made[place % LARGEST] % 10) for place in range(len(found[0])))

    def _other_letters(self, run: str) -> str:
        lower = run.lower()
        if len(run) < SHORTEST or lower in known():
            return run
        if not run.isascii():
            lower = "".join(one.lower() if one.isascii() else ascii_lowercase[ord(one) % 26] for one in run)
        new = self._permuted(lower)
        while new in known():  # what stands for a word is none that stays
            new = self._permuted(new)
        return "".join(letter.upper() if old.isupper() else letter for letter, old in zip(new, run, strict=True))

    def _permuted(self, letters: str) -> str:
        """Return as many letters, other ones for each word: a Feistel network over their two halves."""
        half = len(letters) // 2
        left, right = _number(letters[:half]), _number(letters[half:])
        sizes = 26**half, 26 ** (len(letters) - half)
        for turn in range(ROUNDS):
            side, other, size = (left, right, sizes[0]) if turn % 2 else (right, left, sizes[1])
            told = b"%d %d %d" % (len(letters), turn, other)
            mixed = (side + int.from_bytes(self._key.digest(b"letters", told, 32))) % size
            left, right = (mixed, right) if turn % 2 else (left, mixed)
        return _letters_of(left, half) + _letters_of(right, len(letters) - half)


def fit(number: int, digits: int) -> str:
    """Write a number with so many digits, its last ones."""
    return str(number).zfill(digits)[-digits:]


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """Return the words that mean the same on every host."""
    return frozenset(resources.files(__package__).joinpath("words.txt").read_text().split())


def _number(letters: str) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - ord("a")
    return found


def _letters_of(number: int, count: int) -> str:
    found = ""
    for _ in range(count):
        number, letter = divmod(number, 26)
        found = ascii_lowercase[letter] + found
    return found

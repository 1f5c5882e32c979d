"""The files of a host's state, as they were at the end of a recording, else as before it; a damaged one is named."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from msgspec import MsgspecError

from analyzer.model import ConntrackEntry
from analyzer.model.rules import NFT, Table
from analyzer.state.conntrack import parse_conntrack
from analyzer.state.counters import parse_conntrack_stats, parse_link_stats, parse_nstat, parse_qdiscs, parse_softnet
from analyzer.state.rules.iptables import DUMPS, parse_tables
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.sets import IpSet, parse_sets

Parsed = TypeVar("Parsed")
MAX_DUMP, MAX_DUMPS = 16 << 20, 24 << 20
"""Bytes of a dump, and of all of a host's dumps that are read whole."""
MOST_ENTRIES, LONGEST_LINE = 100_000, 4096
"""Lines of a conntrack dump that are read, and characters of each."""
NAMES = (
    "ip-addr.json", "ip-route.json", "ip-rule.json", "ip6-rule.json", "ip-neigh.json", "bridge-fdb.json",
    "bridge-link.json", "iptables-save.txt", "ip6tables-save.txt", "nft-ruleset.json", "ipset.txt", "conntrack.txt",
    "conntrack6.txt", "conntrack-stats.txt", "nstat.txt", "ip-link.json", "tc-qdisc.json", "softnet_stat.txt",
    "sysctl.txt", "sysctl-interfaces.txt", "docker-version.json", "docker-inspect.json", "docker-network-inspect.json",
)  # fmt: skip
"""Dumps that there may be."""
COUNTERS = ("nstat.txt", "conntrack-stats.txt", "ip-link.json", "tc-qdisc.json", "softnet_stat.txt")
COUNTED = {"iptables-save.txt", "ip6tables-save.txt", "nft-ruleset.json", *COUNTERS}
"""Dumps with counters."""
_WRONG_SHAPE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MsgspecError)


class Dumps:
    """The files of a host's state, with those of before in the place of those that are missing."""

    def __init__(self, folder: Path, before: Path) -> None:
        self.folder, self.before = folder, before
        self.problems: list[str] = []
        self._room = MAX_DUMPS
        self.stand_in = {name for name in NAMES if not self._is_there(folder, name) and self._is_there(before, name)}

    def place(self, name: str) -> Path:
        """Return where a dump is."""
        return (self.before if name in self.stand_in else self.folder) / name

    def place_before(self, name: str) -> Path:
        """Return where the one of before is."""
        return self.before / name

    def told_of_before(self) -> list[str]:
        """Tell which dumps stand in for others, in a line."""
        names = ", ".join(name for name in NAMES if name in self.stand_in)
        return [f"not recorded at the end, so taken as before: {names}"] if names else []

    def rules(self, place: Callable[[str], Path]) -> tuple[tuple[Table, ...], frozenset[int]]:
        """
        Read iptables' and nftables' rules; those that stand in for others have counted nothing that is known.

        Returns:
            All tables, and the IP versions of which iptables' were told.
        """
        found: list[Table] = []
        told: set[int] = set()
        sets = parse_sets((self.text_of(place("ipset.txt")) or "").splitlines())
        for version, file in DUMPS.items():
            tables = self._parsed(place(file), partial(_tables, version=version, sets=sets))
            if tables is not None:
                told.add(version)
                found += tables
        elsewhere = ["ip6" if version == 6 else "ip" for version in told]
        found += self._parsed(place(NFT), lambda text: parse_native(text, elsewhere) if text.strip() else []) or []
        if self.stand_in & COUNTED:
            _forget_counters(found)
        return tuple(found), frozenset(told)

    def counters(self, place: Callable[[str], Path]) -> dict[str, int]:
        """Read the kernel's counters."""
        nstat, conntrack, links, queues, softnet = (place(name) for name in COUNTERS)
        return {
            **parse_nstat((self.text_of(nstat) or "").splitlines()),
            **parse_conntrack_stats((self.text_of(conntrack) or "").splitlines()),
            **(self._parsed(links, parse_link_stats) or {}),
            **(self._parsed(queues, parse_qdiscs) or {}),
            **(self._parsed(softnet, lambda text: parse_softnet(text.splitlines())) or {}),
        }

    def lines(self, name: str) -> list[str]:
        """Read a dump's lines, none if it is not there."""
        return (self.text_of(self.place(name)) or "").splitlines()

    def parsed(self, name: str, parse: Callable[[str], Parsed]) -> Parsed | None:
        """Read and parse a dump; None if it is not there, or damaged, which is a problem."""
        return self._parsed(self.place(name), parse)

    def _parsed(self, path: Path, parse: Callable[[str], Parsed]) -> Parsed | None:
        text = self.text_of(path)
        if text is None:
            return None
        try:
            return parse(text)
        except _WRONG_SHAPE as error:
            self.problems.append(f"{path.name}: not as its command prints it: {_short(error)}")
            return None

    def entries(self, path: Path) -> list[ConntrackEntry]:
        """Read a listing of conntrack, or its events; what cannot be read of it is a problem."""
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                lines = iter(lambda: file.readline(LONGEST_LINE), "")
                entries, unreadable = parse_conntrack(islice(lines, MOST_ENTRIES))
                more = bool(next(lines, ""))
        except FileNotFoundError:
            return []
        except OSError as error:
            self.problems.append(f"{path.name}: {error.strerror}")
            return []
        if unreadable:
            self.problems.append(f"{path.name}: {unreadable} lines not as conntrack prints them")
        if more:
            self.problems.append(f"{path.name}: more than {MOST_ENTRIES:,} lines, of which the first were read")
        return entries

    def text_of(self, path: Path) -> str | None:
        """Read a file, None if it is not there or cannot be read, which is a problem."""
        try:
            if not path.is_file():
                return None
            size = path.stat().st_size
            if size > MAX_DUMP:
                self.problems.append(f"{path.name}: larger than {MAX_DUMP >> 20} MiB")
                return None
            if size > self._room:
                self.problems.append(f"{path.name}: more than {MAX_DUMPS >> 20} MiB of dumps")
                return None
            self._room -= size
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            self.problems.append(f"{path.name}: {error.strerror}")
            return None

    @staticmethod
    def _is_there(folder: Path, name: str) -> bool:
        try:
            return (folder / name).is_file()
        except OSError:
            return False


def _tables(text: str, version: int, sets: Mapping[str, IpSet]) -> list[Table]:
    return parse_tables(text.splitlines(), version, sets)


def _forget_counters(tables: Sequence[Table]) -> None:
    for chain in (chain for table in tables for chain in table.chains.values()):
        chain.rules[:] = [replace(rule, packets=0, bytes=0, counts=False) for rule in chain.rules]


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:120]

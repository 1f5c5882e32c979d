"""Two front ends, one judge: iptables' own translation of recorded rules to nftables gets the same answers."""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from analyzer.model import HostState
from analyzer.model.question import ABSENT
from analyzer.model.rules import Verdict
from analyzer.model.verdict import Account
from analyzer.replay.box import environment, unshared
from analyzer.run import prepare
from analyzer.state.path import Path as Way
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import Packet

pytestmark = pytest.mark.replay
ROOT = Path(__file__).parents[2]
PACKETS = 60
TRANSLATE = (
    "iptables-restore-translate -f /dev/stdin > /run/rules && ! grep -q '^# -t' /run/rules"  # a comment: no such rule
    " && nft -f /run/rules && nft -j list ruleset"
)


@lru_cache(maxsize=1)
def _hosts() -> list[tuple[str, str, HostState]]:
    """Return recorded hosts of different rulesets, by the name of a recording, with the dump."""
    found: dict[str, tuple[str, str, HostState]] = {}
    bundles = [*sorted(ROOT.glob("sample_pcaps/*")), *sorted((ROOT / "tests" / "faults").glob("*.tar.zst"))]
    for bundle in bundles:
        with prepare([bundle]) if bundle.suffix == ".zst" or bundle.is_dir() else _Nothing() as prepared:
            for one in prepared.inputs.bundles.values() if prepared is not None else ():
                path = one.host / "iptables-save.txt" if one.host is not None else None
                if path is None or not path.is_file():
                    continue
                text = path.read_text()
                rules = "\n".join(line.partition("] ")[2] or line for line in text.splitlines() if "#" not in line[:1])
                state = prepared.hosts.states[0]
                found.setdefault(rules, (bundle.name, text, state))
    return list(found.values())


class _Nothing:
    """A context manager of nothing."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _translated(text: str) -> str | None:
    """
    Return a dump as nftables prints its translation; None if iptables cannot translate all of it.

    Of the time of the day it leaves out ``--datestop``, and does not say so.
    """
    if "-m time" in text:
        return None
    words = [*unshared(), "--", "sh", "-c", f"mount -t tmpfs none /run && {TRANSLATE}"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False, env=environment())
    return done.stdout if done.returncode == 0 else None


def _packets(host: HostState, seed: int) -> Iterator[Packet]:
    """Invent packets among a host's containers, its own addresses and others."""
    choose = random.Random(seed)
    own = [ip for link in host.links for ip in link.addresses if ip.version == 4 and not ip.is_loopback]
    inside = [ip for one in host.containers for ip in one.addresses if ip.version == 4]
    everybody = [*own, *inside, *map(ip_address, ("8.8.8.8", "198.51.100.80", "172.17.0.77"))]
    devices = [link.name for link in host.links if link.kind == "bridge" or (link.master is None and not link.loopback)]
    ports = sorted({80, 53, 7, 8080, *(number for one in host.containers for _, number in one.published_ports())})
    for _ in range(PACKETS):
        protocol = choose.choice((6, 6, 17, 1))
        state = choose.choice(("NEW", "NEW", "ESTABLISHED"))
        values: dict[str, Any] = {"icmp_type": 8, "icmp_code": 0} if protocol == 1 else {
            "sport": choose.choice((53, 40_000)), "dport": choose.choice(ports),
            "tcp_flags": 2 if protocol == 6 else None,
        }  # fmt: skip
        yield Packet(
            protocol, choose.choice(everybody), choose.choice(everybody), length=60, ttl=64, ct_state=state,
            ct_reply=False, iif=choose.choice(devices), port_in=ABSENT, **values,
        )  # fmt: skip


def _outcome(account: Account) -> tuple[Any, ...]:
    packet = account.packet
    moved = tuple(one.kind for one in account.translations)
    return account.verdict, account.for_host, moved, packet.oif, packet.src, packet.dst, packet.dport, packet.mark


def test_both_front_ends() -> None:
    """For every ruleset that was recorded and can be translated, and packets that nobody chose."""
    hosts, compared, decided = _hosts(), 0, 0
    for number, (name, text, host) in enumerate(hosts):
        dump = _translated(text)
        if dump is None:
            continue
        compared += 1
        one = Way(replace(host, tables=tuple(parse_tables(text.splitlines(), 4))))
        other = Way(replace(host, tables=tuple(parse_native(dump, ()))))
        for packet in _packets(host, number):
            mine, theirs = one.received(packet), other.received(packet)
            decided += mine.verdict is not Verdict.UNKNOWN
            assert _outcome(mine) == _outcome(theirs), (name, packet)

    assert compared > len(hosts) // 2
    assert decided > compared * PACKETS * 0.9

"""Conntrack entries that outlived the rules which made them."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import BRIDGE, GATEWAY, UPLINK, udp
from tests.explain.scene import HOST, Scene, frame, icmp, packet
from tests.explain.state import dumps, rules

HYPOTHESIS = "stale-conntrack"
CLIENT, OLD = "192.168.1.7", "172.17.0.9"
ASKED = "192.168.1.7:40000 → 192.168.1.100:8080"
RULE = "-A PREROUTING -p udp -m udp --dport 8080 -j DNAT --to-destination {to}"
ENTRY = (
    "udp 17 29 src=192.168.1.7 dst=192.168.1.100 sport=40000 dport=8080 [UNREPLIED] src=172.17.0.9 dst=192.168.1.7 "
    "sport=80 dport=40000 mark=0 use=1\n"
)


def _old(scene: Scene, count: int = 2, *, answered: bool = False, sport: int = 40_000) -> None:
    """Let datagrams of a client go where a rule sent them that is not there any more."""
    for number in range(count):
        data = b"a" * (8 + number)
        scene.see("wlan0", number, frame(GATEWAY, UPLINK, packet(CLIENT, HOST, 17, udp(sport, 8080, data),
                                                                 ident=sport + number)))  # fmt: skip
        inner = packet(CLIENT, OLD, 17, udp(sport, 80, data), ident=sport + number, ttl=63)
        scene.see("docker0", number + 0.02, frame(BRIDGE, "02:42:ac:11:00:09", inner))
    if answered:
        scene.out(50, 17, udp(80, 40_000, b"tell"), src=OLD, dst=CLIENT, masked=None, until="docker0", ident=90)
        scene.see("wlan0", 50.1, frame(UPLINK, GATEWAY, packet(HOST, CLIENT, 17, udp(8080, 40_000, b"tell"), ttl=63,
                                                               ident=90)))  # fmt: skip


@pytest.mark.parametrize(
    ("nat", "answered", "told"),
    [
        (RULE.format(to="172.17.0.3:80"), False, "172.17.0.3:80"),
        (RULE.format(to="172.17.0.3:81"), False, "172.17.0.3:81"),
        (RULE.format(to=f"{OLD}:81"), False, f"{OLD}:81"),
        (RULE.format(to=f"{OLD}:80"), False, ""),
        ("", False, ""),
        ("-A PREROUTING -m nonsense --odd -j DNAT --to-destination 172.17.0.3:80", False, ""),
        (RULE.format(to="172.17.0.3:80"), True, ""),
    ],
    ids=["elsewhere", "other-port-too", "other-port", "same", "no-rule", "undecided", "answered"],
)
def test_where_rules_would_send_it_today(tmp_path: Path, nat: str, answered: bool, told: str) -> None:
    """Somewhere else, and nobody answers where it goes now."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=f"{nat}\n" if nat else "")))
    _old(scene, answered=answered)

    assert scene.titles(HYPOTHESIS) == (
        [f"2 packets went to 172.17.0.9:80, and today's rules would send them to {told}"] if told else []
    )


@pytest.mark.parametrize(
    ("entry", "lines"),
    [
        ("", ()),
        (ENTRY, (f"conntrack.txt: {ASKED}, reply 172.17.0.9:80 → 192.168.1.7:40000 UNREPLIED",)),
    ],
    ids=["without", "with"],
)  # fmt: skip
def test_what_is_told(tmp_path: Path, entry: str, lines: tuple[str, ...]) -> None:
    """The entry, if it was recorded, the rule of today, and how to delete the entry."""
    rule = RULE.format(to="172.17.0.3:80")
    scene = Scene(tmp_path, dumps={**dumps(iptables_save=rules(nat=f"{rule}\n")), "conntrack.txt": entry})
    _old(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert (finding.severity, finding.basis) == (Severity.ERROR, Basis.STATED)
    assert finding.proof == (*lines, f"iptables-save.txt: {rule}")
    assert finding.commands == ("conntrack -D -p udp -s 192.168.1.7 -d 192.168.1.100 --sport 40000 --dport 8080",)
    assert finding.explanation.endswith(" Of 192.168.1.7:40000 → 192.168.1.100:8080.")
    assert len(finding.evidence) == 2


def test_one_that_leaves_untranslated(tmp_path: Path) -> None:
    """Although today's rules masquerade it."""
    scene = Scene(tmp_path, dumps=dumps())
    for ms in (0, 10):
        scene.out(ms, 17, udp(40_000, 7777, b"ask"), masked=None)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "2 packets left untranslated, and today's rules would masquerade them"
    assert finding.commands == ("conntrack -D -p udp -s 172.17.0.2 -d 8.8.8.8 --sport 40000 --dport 7777",)
    assert finding.proof == ()


def test_a_filter_that_may_hide_answers(tmp_path: Path) -> None:
    """Then nobody knows."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=RULE.format(to="172.17.0.3:80") + "\n")))
    _old(scene)
    scene.recorded(5000)
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace('"filter": ""', '"filter": "dst port 80"'))

    assert scene.titles(HYPOTHESIS) == []


def test_one_that_is_explained(tmp_path: Path) -> None:
    """A firewall said that it prohibits it: that the entry is old is stated, and comes first."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=RULE.format(to="172.17.0.3:80") + "\n")))
    _old(scene)
    _old(scene, sport=41_000)
    quoted = packet(CLIENT, HOST, 17, udp(40_000, 8080, b"a" * 8), ident=40_000)
    scene.see("wlan0", 10, frame(UPLINK, GATEWAY, packet(HOST, CLIENT, 1, icmp(3, 13, quoted), ident=9)))
    found = scene.findings()

    assert [finding.check for finding in found] == [HYPOTHESIS, HYPOTHESIS]
    assert sorted(finding.commands[0][-26:-13] for finding in found) == ["--sport 40000", "--sport 41000"]

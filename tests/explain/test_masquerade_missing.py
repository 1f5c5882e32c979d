"""Packets that leave with a container's address: because no rule masquerades them, or none is asked."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import C1, tcp, udp
from tests.explain.scene import HOST, INSIDE, Scene
from tests.explain.state import container, dumps, network, routes, rules

HYPOTHESIS = "masquerade-missing"
DOCKERS = ":DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
RULE = "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"
FLUSH = "conntrack -D -s 172.17.0.2"


def _leave(scene: Scene, count: int = 1, **fields: object) -> None:
    """Let datagrams of a container leave untranslated."""
    for number in range(count):
        scene.out(number, 17, udp(40_000, 7777, bytes([number]) * 8), masked=None, **fields)  # type: ignore[arg-type]


def test_no_rule(tmp_path: Path) -> None:
    """The network's rule is missing: with it, the packet is translated."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=DOCKERS)))
    _leave(scene, 2)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "2 packets left by wlan0 as 172.17.0.2, untranslated"
    assert (finding.severity, finding.basis) == (Severity.ERROR, Basis.STATED)
    assert finding.explanation == (
        "Nobody outside knows a way back to a container's address, so no answer comes. No rule of table nat "
        "translates them. Of 172.17.0.2:40000 → 8.8.8.8:7777."
    )
    assert finding.commands == (f"iptables -t nat {RULE}", FLUSH)
    assert finding.proof == ("iptables-save.txt: no rule of *nat POSTROUTING matches",)
    assert finding.tried is not None
    assert f"translated by “{RULE}”" in finding.tried
    assert [str(one) for one in finding.evidence] == ["wlan0 #1", "wlan0 #2"]


def test_without_dumps(tmp_path: Path) -> None:
    """It is inferred, and the rule is a guess."""
    scene = Scene(tmp_path)
    _leave(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.basis is Basis.INFERRED
    assert "No rule of table nat" not in finding.explanation
    assert finding.commands == ("iptables -t nat -A POSTROUTING -s 172.17.0.2 ! -o docker0 -j MASQUERADE", FLUSH)
    assert (finding.proof, finding.tried) == ((), None)


def test_a_rule_that_nobody_can_decide(tmp_path: Path) -> None:
    """Says nothing either, but the network is known."""
    nat = f"{DOCKERS}-A POSTROUTING -m nonsense --odd -j MASQUERADE\n"
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=nat)))
    _leave(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.basis is Basis.INFERRED
    assert finding.commands == (f"iptables -t nat {RULE}", FLUSH)


@pytest.mark.parametrize(
    ("other", "subnet", "bridge"),
    [
        (network("mine", "172.17.0.0/24", "br-mine"), "172.17.0.0/24", "br-mine"),
        (network("mine", "172.17.0.0/24", "br mine"), "172.17.0.0/24", "'br mine'"),
        (network("other", "172.18.0.0/16", "br-other"), "172.17.0.2", "docker0"),
        (network("lan", "172.17.0.0/24", Driver="macvlan", Options={}), "172.17.0.0/24", "docker0"),
    ],
    ids=["its-network", "odd-name", "none", "without-a-bridge"],
)
def test_the_rule_that_is_missing(tmp_path: Path, other: object, subnet: str, bridge: str) -> None:
    """Is of the network that has the source; without one, of the source alone."""
    networks = [network("first", "172.20.0.0/16", "br-first"), other]
    way = routes()[:1]
    scene = Scene(
        tmp_path, dumps=dumps(iptables_save=rules(nat=DOCKERS), docker_network_inspect=networks, ip_route=way)
    )
    _leave(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert f"iptables -t nat -A POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE" in finding.commands[0]


@pytest.mark.parametrize(
    ("src", "told"),
    [(INSIDE, True), ("203.0.113.7", True), ("8.8.4.4", False), ("169.254.1.1", False), (HOST, False)],
    ids=["private", "documentation", "public", "link-local", "own"],
)
def test_whose_address_it_is(tmp_path: Path, src: str, told: bool) -> None:
    """A public one is routed to its owner, and the host's own needs no mask."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=DOCKERS)))
    _leave(scene, src=src)

    assert bool(scene.titles(HYPOTHESIS)) is told


def test_answered_ones(tmp_path: Path) -> None:
    """Somebody knows the way back."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=DOCKERS)))
    _leave(scene)
    scene.back(10, 17, udp(7777, 40_000, b"tell"), masked=None)

    assert scene.titles(HYPOTHESIS) == []


def test_a_filter_that_may_hide_answers(tmp_path: Path) -> None:
    """Then nobody knows whether there were any."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=DOCKERS)))
    _leave(scene)
    scene.recorded(5000)
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace('"filter": ""', '"filter": "src net 172.17.0.0/16"'))

    assert scene.titles(HYPOTHESIS) == []


def test_what_a_rule_takes_out_of_tracking(tmp_path: Path) -> None:
    """Is not translated: without that rule it is."""
    raw = "-A PREROUTING -p udp -m udp --dport 7777 -j NOTRACK\n"
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(raw=raw)))
    _leave(scene, 2)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == (
        "2 packets left as 172.17.0.2 by wlan0, untranslated: a rule takes them out of connection tracking"
    )
    assert finding.basis is Basis.STATED
    assert finding.proof == (f"iptables-save.txt: {raw.strip()}",)
    assert finding.commands == ("iptables -t raw -D PREROUTING -p udp -m udp --dport 7777 -j NOTRACK",)
    assert finding.tried is not None
    assert f"translated by “{RULE}”" in finding.tried
    assert finding.explanation.endswith(" Of 172.17.0.2:40000 → 8.8.8.8:7777.")
    assert len(finding.evidence) == 2


def test_a_rule_that_would_not_be_enough(tmp_path: Path) -> None:
    """Another one stops what it translates."""
    forward = "-A FORWARD -s 172.17.0.0/16 -j DROP\n"
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=DOCKERS, forward=forward)))
    _leave(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.remedy.startswith("Not enough, for something else stops the packet after it: iptables -t nat ")
    assert finding.tried is None


@pytest.mark.parametrize(
    ("flags", "checks"),
    [(0x02, {"stale-conntrack"}), (0x10, {"untranslated-source-leak"}), (0x04, {"untranslated-source-leak"}),
     (0x06, {"untranslated-source-leak"})],
    ids=["syn", "ack", "rst", "syn-rst"],
)  # fmt: skip
def test_where_a_rule_would_translate_it_today(tmp_path: Path, flags: int, checks: set[str]) -> None:
    """A connection's beginning has an old entry; what comes in the middle of one is INVALID."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.out(0, 6, tcp(40_000, 80, 1, 1 if flags & 0x10 else 0, flags), masked=None)
    told = {finding.check for finding in scene.findings()}

    assert told & {HYPOTHESIS, "stale-conntrack", "untranslated-source-leak"} == checks


def _entry(sport: int) -> str:
    asked, answer = f"src=172.17.0.2 dst=8.8.8.8 sport={sport} dport=7777", f"sport=7777 dport={sport}"
    return f"udp 17 29 {asked} [UNREPLIED] src=8.8.8.8 dst=172.17.0.2 {answer} mark=0 use=1\n"


@pytest.mark.parametrize(
    ("entry", "check"),
    [(_entry(40_000), "stale-conntrack"), (_entry(40_001), "untranslated-source-leak"), ("", "stale-conntrack")],
    ids=["its-entry", "anothers", "not-recorded"],
)
def test_what_conntrack_knew(tmp_path: Path, entry: str, check: str) -> None:
    """A datagram without an entry is INVALID; where the table was not recorded, it had one."""
    scene = Scene(tmp_path, dumps={**dumps(), "conntrack.txt": entry})
    _leave(scene)
    told = {finding.check for finding in scene.findings()}

    assert told & {HYPOTHESIS, "stale-conntrack", "untranslated-source-leak"} == {check}


@pytest.mark.parametrize(
    ("flags", "translates", "checks"),
    [
        (0x02, True, {HYPOTHESIS}),
        (0x10, True, {"untranslated-source-leak"}),
        (0x10, False, {HYPOTHESIS}),
        (0x04, True, {"untranslated-source-leak"}),
    ],
    ids=["syn", "ack", "ack-alone", "rst"],
)
def test_without_dumps_others_tell(tmp_path: Path, flags: int, translates: bool, checks: set[str]) -> None:
    """What is in the middle of a connection is INVALID if other connections are translated."""
    scene = Scene(tmp_path)
    if translates:
        scene.out(0, 17, udp(1, 2, b"x"))
        scene.back(5, 17, udp(2, 1, b"y"))
    scene.out(10, 6, tcp(40_000, 80, 1, 1 if flags & 0x10 else 0, flags), masked=None)
    told = {finding.check for finding in scene.findings()}

    assert told & {HYPOTHESIS, "stale-conntrack", "untranslated-source-leak"} == checks


def test_another_container(tmp_path: Path) -> None:
    """Its packets are told with the others; the first one gives the address."""
    known = [container("c2", INSIDE, C1)]
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=DOCKERS), docker_inspect=known))
    _leave(scene)
    _leave(scene, src="172.17.0.4", mac="02:42:ac:11:00:04", veth="veth-c4")

    assert scene.titles(HYPOTHESIS) == ["2 packets left by wlan0 as 172.17.0.2, untranslated"]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("-s 172.17.128.0/17 -j MASQUERADE", "it is for 172.17.128.0/17, and 172.17.0.2 is not in it"),
        ("-s 172.17.0.3/32 -o wlan0 -j SNAT --to-source 192.168.1.100", "it is for 172.17.0.3/32, and 172.17.0.2 is"),
        ("-s 172.17.0.0/16 -o eth9 -j MASQUERADE", "it is for what leaves by eth9, and this leaves by wlan0"),
        ("-s 10.9.0.0/16 -j MASQUERADE", ""),
        ("! -s 172.17.0.0/16 -o wlan0 -j MASQUERADE", ""),
        ("-s 172.17.0.3/32 -d 172.17.0.3/32 -p tcp -m tcp --dport 80 -j MASQUERADE", ""),
    ],
    ids=["other-half", "another-container", "another-way-out", "another-network", "all-others", "a-hairpin"],
)
def test_a_rule_that_nearly_translates_it(tmp_path: Path, rule: str, why: str) -> None:
    """Its source or its way out is another one; what asks for more than these is for something else."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=f"{DOCKERS}-A POSTROUTING {rule}\n")))
    _leave(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert ("nearly does" in finding.explanation) is bool(why)
    assert why in finding.explanation

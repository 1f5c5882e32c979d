"""Rules and policies that stop packets: which may be deleted how, and whether that would help."""

from pathlib import Path

import pytest

from analyzer.explain.fixes import ip_version
from analyzer.explain.hypotheses import filtered_by_rule
from analyzer.model import Basis, Finding, Severity
from analyzer.model.finding import Fact
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, INSIDE6, SERVER6, Scene, frame, icmp, packet
from tests.explain.state import dumps, routes, rules

HYPOTHESIS = "filtered-by-rule"
DROP = "-A FORWARD -p tcp -m tcp --dport 80 -j DROP"
DOCKERS = ":DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n"
HOSTS_ANSWERS = "iptables -t filter -I OUTPUT -d 172.17.0.2 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
ACCEPT = "iptables -t filter -I FORWARD -s 172.17.0.2 -d 8.8.8.8 -p tcp --dport 80 -j ACCEPT"
ANSWERS = "iptables -t filter -I FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
NATIVE_ACCEPT = "nft insert rule inet fw fwd ip saddr 172.17.0.2 ip daddr 8.8.8.8 tcp dport 80 accept"
NATIVE_ANSWERS = "nft insert rule inet fw fwd ct state established,related accept"


def _stop(scene: Scene, **fields: object) -> None:
    """Let a container send a SYN that goes no further than its bridge."""
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2), until="docker0", **fields)  # type: ignore[arg-type]
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(9001, 17, udp(2, 1, b"y"), src="9.9.9.9")


FIRST = "It is rule 1 of chain FORWARD, made by hand, or by a program that is not known. "


@pytest.mark.parametrize(
    ("forward", "policy", "title", "where", "remedy", "tried"),
    [
        (f"{DROP}\n", "ACCEPT", f"rule “{DROP}” in filter", FIRST, (ACCEPT,), "accepted by"),
        (DOCKERS, "DROP", "policy DROP of filter FORWARD", "",
         (ACCEPT, ANSWERS), "accepted by"),
        (f"{DROP}\n-A FORWARD -j DROP\n", "ACCEPT", f"rule “{DROP}” in filter", FIRST,
         (ACCEPT, ANSWERS), "accepted by"),
        (f"{DROP}\n-A FORWARD -m nonsense --odd -j DROP\n", "ACCEPT", f"rule “{DROP}” in filter",
         FIRST,
         (ACCEPT,), "accepted by"),
    ],
    ids=["rule", "policy", "both", "undecided"],
)  # fmt: skip
def test_what_would_help(
    tmp_path: Path, forward: str, policy: str, title: str, where: str, remedy: tuple[str, ...], tried: str | None
) -> None:
    """It is tried on the recorded state, and said how that goes."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(forward=forward, policy=policy)))
    _stop(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == f"1 packet dropped: {title}"
    assert finding.severity is Severity.ERROR
    assert finding.explanation.startswith(f"{where}The recorded rules, run in the kernel's order, stop these packets ")
    assert finding.commands == remedy
    assert (tried in (finding.tried or "")) if tried else finding.tried is None


def test_of_ipv6(tmp_path: Path) -> None:
    """Its own tool, and its own dump."""
    way = [*routes(), {"dst": "default", "gateway": "fd00:1::1", "dev": "wlan0"}]
    scene = Scene(tmp_path, dumps=dumps(ip_route=way))
    scene.dumps["ip6tables-save.txt"] = rules(nat="", forward=f"{DROP}\n")
    _stop(scene, src=INSIDE6, dst=SERVER6)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.commands == (
        f"ip6tables -t filter -I FORWARD -s {INSIDE6} -d {SERVER6} -p tcp --dport 80 -j ACCEPT",
    )
    assert finding.proof == (f"ip6tables-save.txt: {DROP}",)


def test_the_version_of_a_packet(tmp_path: Path) -> None:
    """By its destination; what has none is taken for IPv4."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(1, 2, b"x"))
    scene.out(1, 17, udp(1, 2, b"x"), src=INSIDE6, dst=SERVER6)
    scene.see("veth-c2", 2, b"\xff" * 6 + b"\2" * 6 + b"\x88\xcc" + bytes(50))

    assert [ip_version(scene.case(), number) for number in range(3)] == [4, 6, 4]


NATIVE = {
    "nftables": [
        {"table": {"family": "inet", "name": "fw", "handle": 1}},
        {"chain": {"family": "inet", "table": "fw", "name": "fwd", "handle": 1, "type": "filter", "hook": "forward",
                   "prio": 0, "policy": "accept"}},
    ]
}  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "rule", "remedy"),
    [
        ("accept", {"rule": {"family": "inet", "table": "fw", "chain": "fwd", "handle": 7, "expr": [{"drop": None}]}},
         (NATIVE_ACCEPT, NATIVE_ANSWERS)),
        ("drop", None, (NATIVE_ACCEPT, NATIVE_ANSWERS)),
    ],
    ids=["rule", "policy"],
)  # fmt: skip
def test_nftables_own(tmp_path: Path, policy: str, rule: dict[str, object] | None, remedy: tuple[str, ...]) -> None:
    """Rules by their handle; a policy stays, and what it takes is accepted before it."""
    table, chain = NATIVE["nftables"]
    made = {"nftables": [table, {"chain": chain["chain"] | {"policy": policy}}, *([rule] if rule else [])]}
    scene = Scene(tmp_path, dumps={**dumps(), "nft-ruleset.json": made})
    _stop(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.commands == remedy
    assert finding.tried is not None


def test_a_rule_that_is_gone(tmp_path: Path) -> None:
    """It was there before the captures ran, and nobody offers to delete it."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.dumps["before/iptables-save.txt"] = rules(forward=f"{DROP}\n")
    for number in range(3):
        scene.out(100 + number * 100, 6, tcp(40_000 + number, 80, 1, 0, 2), until="docker0")
    for ms in (0, 5000):
        scene.out(ms, 6, tcp(41_000 + ms, 80, 1, 0, 2))
        scene.back(ms + 5, 6, tcp(80, 41_000 + ms, 7, 2, 0x12))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail.endswith(f"rule “{DROP}” in filter, which is gone now")
    assert "It was there before the captures ran, and is not any more: " in finding.explanation
    assert finding.remedy.startswith("See who adds and removes rules: ")
    assert finding.proof == (f"host-before/iptables-save.txt: {DROP}",)


def test_the_hosts_own_answer(tmp_path: Path) -> None:
    """A rule of OUTPUT stops it: with an exception before that rule it passes."""
    text = rules().replace(
        ":OUTPUT ACCEPT [0:0]\n", ":OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --sport 22 -j DROP\n"
    )
    scene = Scene(tmp_path, dumps=dumps(iptables_save=text))
    for number, ms in enumerate((0, 1000)):
        scene.ident += 1
        data = packet(INSIDE, "172.17.0.1", 6, tcp(40_000, 22, 1, 0, 2), ident=number + 1)
        for place, point in enumerate(("veth-c2", "docker0")):
            scene.see(point, ms + place * 0.02, frame(C1, BRIDGE, data))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "answers to 2 packets dropped: rule “-A OUTPUT -p tcp -m tcp --sport 22 -j DROP” in filter"
    assert finding.tried is not None
    assert finding.tried.endswith(" is then stopped by no rule")
    assert finding.commands == (HOSTS_ANSWERS,)


@pytest.mark.parametrize(
    ("kind", "told"),
    [((3, 9), True), ((3, 10), True), ((3, 13), True), ((3, 12), False), ((3, 14), False), ((12, 0), False)],
)
def test_firewalls_elsewhere(tmp_path: Path, kind: tuple[int, int], told: bool) -> None:
    """Administratively prohibited: by whoever says so, of all packets together."""
    scene = Scene(tmp_path)
    for number in range(2):
        body = tcp(40_000 + number, 80, 1, 0, 2)
        scene.out(number * 10, 6, body, ident=5 + number)
        scene.error(number * 10 + 5, *kind, 6, body, ident=5 + number, by="10.0.0.1")
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == ["a firewall at 10.0.0.1 prohibits 2 packets"] * told
    for finding in found:
        assert finding.severity is Severity.ERROR
        assert finding.remedy == "Ask whoever runs 10.0.0.1 to let this traffic pass."
        assert finding.explanation.startswith("It answered that they are administratively prohibited. Of 172.17.0.2:")
        assert len(finding.evidence) == 2


def test_a_firewall_of_no_containers_business(tmp_path: Path) -> None:
    """Is a warning."""
    scene = Scene(tmp_path)
    for number in range(2):
        asked = packet(HOST, "8.8.8.8", 6, tcp(40_000 + number, 80, 1, 0, 2), ident=4 + number)
        scene.see("wlan0", number * 10, frame(UPLINK, GATEWAY, asked))
        error = packet("10.0.0.1", HOST, 1, icmp(3, 13, asked), ident=40 + number)
        scene.see("wlan0", number * 10 + 5, frame(GATEWAY, UPLINK, error))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.WARNING


def test_this_hosts_own_errors(tmp_path: Path) -> None:
    """Are told by the rule that rejects, not once more as a firewall's."""
    reject = "-A FORWARD -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-admin-prohibited"
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(forward=f"{reject}\n")))
    _stop(scene, ident=5)
    asked = packet(INSIDE, "8.8.8.8", 6, tcp(40_000, 80, 1, 0, 2), ident=5)
    for place, point in enumerate(("docker0", "veth-c2")):
        error = packet("172.17.0.1", INSIDE, 1, icmp(3, 13, asked), ident=77)
        scene.see(point, 1 + place * 0.02, frame(BRIDGE, C1, error))

    assert scene.titles(HYPOTHESIS) == [f"1 packet rejected: rule “{reject}” in filter"]


def test_an_answer_that_two_rules_stop(tmp_path: Path) -> None:
    """To let it pass before the first one is enough for both."""
    drops = "-A OUTPUT -p tcp -m tcp --sport 22 -j DROP\n-A OUTPUT -p tcp -j DROP\n"
    scene = Scene(
        tmp_path, dumps=dumps(iptables_save=rules().replace(":OUTPUT ACCEPT [0:0]\n", f":OUTPUT ACCEPT [0:0]\n{drops}"))
    )
    data = packet(INSIDE, "172.17.0.1", 6, tcp(40_000, 22, 1, 0, 2))
    for place, point in enumerate(("veth-c2", "docker0")):
        scene.see(point, place * 0.02, frame(C1, BRIDGE, data))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.tried is not None
    assert finding.commands == (HOSTS_ANSWERS,)


@pytest.mark.parametrize(
    ("policy", "bridges", "whole"),
    [
        ("inet filter forward", ["docker0", "br-a"], [
            "nft insert rule inet filter forward iifname '{ \"docker0\", \"br-a\" }' accept",
            "nft insert rule inet filter forward oifname '{ \"docker0\", \"br-a\" }' accept",
        ]),
        ("inet filter forward", [], None),
        ("filter FORWARD", ["docker0"], None),
        ("inet $(x) forward", ["a'b"], [
            "nft insert rule inet '$(x)' forward iifname '{ \"a'\"'\"'b\" }' accept",
            "nft insert rule inet '$(x)' forward oifname '{ \"a'\"'\"'b\" }' accept",
        ]),
    ],
    ids=["native", "no-bridge", "iptables", "hostile"],
)  # fmt: skip
def test_whole_networks_may_pass_a_chain_beside_dockers(
    policy: str, bridges: list[str], whole: list[str] | None
) -> None:
    """By commands that a shell takes as they stand there, whatever a dump calls its tables."""
    facts: dict[str, Fact] = {"policy_of": policy, "bridges": bridges, "tried_ports": [], "vainly": False}
    complete = filtered_by_rule.HYPOTHESIS.complete
    assert complete is not None
    found = complete(Finding(HYPOTHESIS, Severity.ERROR, Basis.STATED, facts))

    assert found is not None
    assert found.facts.get("whole") == whole

"""Hosts whose rules of Docker's were flushed."""

from pathlib import Path
from typing import Any

import pytest

from tests.build import GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, Scene, frame, packet
from tests.explain.state import NAT, container, dumps, network, rules

HYPOTHESIS = "docker-rules-gone"
JUMP = ":DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
FORWARDS = ":DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n"
BACKEND = {"nftables": [{"table": {"family": "ip", "name": "docker-bridges", "handle": 1}}]}


def _scene(folder: Path, **changed: Any) -> Scene:
    web: dict[str, Any] = container("web", "172.17.0.3", "02:42:ac:11:00:03")  # type: ignore[assignment]
    web["NetworkSettings"]["Ports"] = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}
    files = dumps(docker_inspect=[container("c2", "172.17.0.2", "02:42:ac:11:00:02"), web], **changed)
    return Scene(folder, dumps=files)


def _leaves(scene: Scene) -> None:
    """Let a container's packets leave as they are."""
    for number in range(3):
        scene.out(number, 17, udp(5000, 53, b"x"), masked=None)
    scene.out(9000, 17, udp(5001, 53, b"x"), masked=None)


def _is_asked(scene: Scene) -> None:
    """Let somebody outside ask for the published port."""
    scene.see("wlan0", 5, frame(GATEWAY, UPLINK, packet("203.0.113.9", HOST, 6, tcp(40_000, 8080, 1, 0, 2))))
    scene.see("wlan0", 9000, frame(GATEWAY, UPLINK, packet("203.0.113.9", HOST, 17, udp(7, 7, b"x"))))


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        (rules(nat=""), ["filter", "nat"]),
        ("", ["filter", "nat"]),
        (rules(nat="", forward=FORWARDS), ["nat"]),
        (rules(nat=JUMP, forward=FORWARDS), None),
        (rules(nat=NAT, forward=FORWARDS), None),
    ],
    ids=["both", "everything", "nat", "one-rule-missing", "none-missing"],
)
@pytest.mark.parametrize("does", [_leaves, _is_asked], ids=["leaves", "is-asked"])
def test_what_is_not_translated(tmp_path: Path, text: str, tables: list[str] | None, does: Any) -> None:
    """Nothing of Docker's is in table nat; if only one of its rules is missing, that one is told."""
    scene = _scene(tmp_path, iptables_save=text)
    does(scene)
    found = scene.findings(HYPOTHESIS)

    assert [one.facts["tables"] for one in found] == ([tables] if tables else [])
    assert not tables or not {one.check for one in scene.findings()} & {
        "masquerade-missing", "published-port-not-translated",
    }  # fmt: skip


def test_what_the_policy_of_forward_drops(tmp_path: Path) -> None:
    """Which Docker has set, and whose rules to accept are gone."""
    scene = _scene(tmp_path, iptables_save=rules(policy="DROP"))
    scene.out(0, 17, udp(5000, 53, b"x"), until="docker0")
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.facts["tables"] == ["filter"]


@pytest.mark.parametrize(
    "changed",
    [
        {"nft_ruleset": BACKEND},
        {"docker_network_inspect": [network(Options={"com.docker.network.bridge.name": "docker0",
                                                     "com.docker.network.bridge.enable_ip_masquerade": "false"})]},
        {"docker_network_inspect": [network(Driver="macvlan")]},
        {"docker_inspect": []},
    ],
    ids=["nftables", "routed-on-purpose", "no-bridge", "no-containers"],
)  # fmt: skip
def test_of_whom_nothing_is_said(tmp_path: Path, changed: dict[str, Any]) -> None:
    """Who does without iptables' rules, or does not need them."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat="")) | {
        f"{name.replace('_', '-')}.json": value for name, value in changed.items()
    })  # fmt: skip
    _leaves(scene)

    assert not scene.findings(HYPOTHESIS)


@pytest.mark.parametrize(
    ("daemon", "makes", "cause"),
    [
        ({"iptables": False}, False, 'Docker was told to make no rules ("iptables": false)'),
        ({"mtu": 1400}, True, "Docker's rules are gone from *filter and *nat"),
        (None, None, "Docker's rules are gone from *filter and *nat"),
    ],
    ids=["told-to-make-none", "makes-them", "not-recorded"],
)
def test_the_daemon_may_have_been_told_to_make_none(
    tmp_path: Path, daemon: dict[str, object] | None, makes: bool | None, cause: str
) -> None:
    """Then nobody flushed them; where its settings were not recorded, that stays possible."""
    scene = _scene(tmp_path, iptables_save="")
    scene.dumps |= {"daemon.json": daemon} if daemon is not None else {}
    _leaves(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert (finding.facts.get("makes_rules"), finding.cause) == (makes, cause)
    assert ("or the daemon was told" in finding.explanation) is (makes is None)
    assert any("daemon.json" in line for line in finding.proof) is (makes is False)

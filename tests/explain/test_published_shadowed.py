"""Published ports that a rule before Docker's own sends to somebody who is no container."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Finding
from tests.build import C1, C2, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, Scene, frame, packet
from tests.explain.state import container, dumps, rules

HYPOTHESIS = "published-port-shadowed"
SYN, SYN_ACK = 0x02, 0x12
CLIENT = "192.168.1.7"
WEB, GONE = "172.17.0.3", "10.42.0.9"
OURS = "-A PREROUTING -p {of} -m {of} --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"


def _rule(target: str = GONE, *, of: str = "tcp", port: int = 8080) -> str:
    return f"-A PREROUTING -p {of} -m {of} --dport {port} -j DNAT --to-destination {target}:80"


def _scene(folder: Path, *before: str, of: str = "tcp") -> Scene:
    """Return a host that publishes port 8080 of web; these rules come before Docker's."""
    web = container("web", WEB, C2)
    web["NetworkSettings"]["Ports"] = {f"80/{of}": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}  # type: ignore[index]
    nat = "".join(f"{rule}\n" for rule in before) + OURS.format(of=of)
    return Scene(folder, dumps=dumps(docker_inspect=[container("c2", INSIDE, C1), web], iptables_save=rules(nat)))


def _asks(scene: Scene, *, dst: str = HOST, dport: int = 8080, sport: int = 40_000, of: str = "tcp",
          answered: bool = False) -> None:  # fmt: skip
    """Let somebody on the LAN ask for a port."""
    scene.ident += 1
    body = tcp(sport, dport, 1, 0, SYN) if of == "tcp" else udp(sport, dport, b"ask")
    asks = packet(CLIENT, dst, 6 if of == "tcp" else 17, body, ident=scene.ident)
    scene.see("wlan0", scene.ident, frame(GATEWAY, UPLINK, asks))
    if answered:
        told = packet(dst, CLIENT, 6, tcp(dport, sport, 7, 2, SYN_ACK), ident=scene.ident)
        scene.see("wlan0", scene.ident + 0.5, frame(UPLINK, GATEWAY, told))


def _found(scene: Scene) -> list[Finding]:
    scene.out(9000, 17, udp(1, 2, b"x"))
    return scene.findings(HYPOTHESIS)


@pytest.mark.parametrize("of", ["tcp", "udp"])
def test_the_rule_that_comes_first_is_named(tmp_path: Path, of: str) -> None:
    """With its place, whose port it takes, and what deletes just it."""
    scene = _scene(tmp_path, _rule("172.17.0.3", of=of, port=8081), _rule(of=of), of=of)
    _asks(scene, of=of)
    (finding,) = _found(scene)

    assert {name: finding.facts[name] for name in ("container", "rule", "chain", "number")} == {
        "container": "web", "rule": _rule(of=of), "chain": "PREROUTING", "number": 2,
    }  # fmt: skip
    assert finding.commands == (f"iptables -t nat -D {_rule(of=of)[3:]}",)
    assert finding.basis is Basis.STATED
    assert finding.proof == (f"iptables-save.txt: {_rule(of=of)}", f"docker-inspect.json: web 0.0.0.0:8080->80/{of}")


@pytest.mark.parametrize("target", [WEB, INSIDE], ids=["its-container", "another-container"])
def test_a_rule_that_leads_to_a_container_shadows_nothing(tmp_path: Path, target: str) -> None:
    """Somebody may have meant that one."""
    scene = _scene(tmp_path, _rule(target))
    _asks(scene)

    assert _found(scene) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [({}, True), ({"answered": True}, False), ({"dport": 9090}, False), ({"dst": "192.168.1.55"}, False),
     ({"of": "udp"}, False)],
    ids=["in-vain", "answered", "another-port", "another-host", "another-protocol"],
)  # fmt: skip
def test_only_what_was_asked_in_vain_for_the_published_port_counts(
    tmp_path: Path, options: dict[str, object], told: bool
) -> None:
    """Of this host, by its protocol: whoever was answered got what was wanted."""
    rest = [_rule(port=9090), _rule(of="udp")]
    scene = _scene(tmp_path, _rule(), *rest)
    _asks(scene, **options)  # type: ignore[arg-type]

    assert len(_found(scene)) == told


def test_a_rule_that_does_not_match_is_not_to_blame(tmp_path: Path) -> None:
    """It is run for each packet: one that asks for another source lets it pass to Docker's own."""
    scene = _scene(tmp_path, _rule().replace("-p tcp", "-s 203.0.113.0/24 -p tcp"))
    _asks(scene)

    assert _found(scene) == []


def test_all_that_a_rule_took_is_told_once(tmp_path: Path) -> None:
    """Whoever asked, and however often."""
    scene = _scene(tmp_path, _rule())
    for sport in (40_000, 40_001, 40_002):
        _asks(scene, sport=sport)
    (finding,) = _found(scene)

    assert finding.facts["packets"] == 3

"""The narrowest change that takes away what stops a packet, as the command that people are given."""

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.case import Case
from analyzer.explain.edits import Fix
from analyzer.explain.fixes import fix
from analyzer.model import Route, RoutingRule
from analyzer.packet.stops import Cause
from analyzer.state.routing import Chosen
from tests.build import GATEWAY, UPLINK, echo, tcp, udp
from tests.explain.scene import HOST, INSIDE6, SERVER6, Scene, frame, packet
from tests.explain.state import dumps, rules

SYN = tcp(40_000, 80, 1, 0, 0x02)
SIX: dict[str, Any] = {"src": INSIDE6, "dst": SERVER6}


def _case(scene: Scene, proto: int = 6, body: bytes = SYN, **fields: object) -> Case:
    """Let a container send a packet that goes no further than its bridge."""
    scene.out(0, proto, body, until="docker0", **fields)  # type: ignore[arg-type]
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    return scene.case()


def _of_rule(case: Case, *, of_answer: bool = False) -> Fix | None:
    """Return what is offered against the rule or policy that stops the first packet."""
    (stopped,) = case.stopped["filtered-by-rule"]
    return fix(case, stopped.packets[0], stopped.cause, of_answer=of_answer)


@pytest.mark.parametrize(
    ("proto", "body", "words"),
    [
        (6, SYN, "-s 172.17.0.2 -d 8.8.8.8 -p tcp --dport 80"),
        (17, udp(40_000, 53, b"ask"), "-s 172.17.0.2 -d 8.8.8.8 -p udp --dport 53"),
        (1, echo(8, 7, 1), "-s 172.17.0.2 -d 8.8.8.8 -p icmp"),
        (47, bytes(20), "-s 172.17.0.2 -d 8.8.8.8"),
    ],
    ids=["tcp", "udp", "ping", "gre"],
)
def test_an_exception_lets_just_this_pass(tmp_path: Path, proto: int, body: bytes, words: str) -> None:
    """From here to there, and by that port, if there are ports: the rule itself stays."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(forward="-A FORWARD -j DROP\n")))
    found = _of_rule(_case(scene, proto, body))

    assert found is not None
    assert found.command == f"iptables -t filter -I FORWARD {words} -j ACCEPT"


@pytest.mark.parametrize(("chain", "verdict"), [("FORWARD", "ACCEPT"), ("MINE", "RETURN"), ("DOCKER-USER", "RETURN")])
def test_a_chain_that_others_jump_to_hands_back_to_those(tmp_path: Path, chain: str, verdict: str) -> None:
    """What they do with it is theirs to say; a chain of a hook accepts."""
    jump = f"-A FORWARD -j {chain}\n" if chain != "FORWARD" else ""
    text = rules(forward=f"{jump}-A {chain} -p tcp -j DROP\n").replace(":OUTPUT", f":{chain} - [0:0]\n:OUTPUT")
    if chain == "FORWARD":
        text = rules(forward="-A FORWARD -p tcp -j DROP\n")
    found = _of_rule(_case(Scene(tmp_path, dumps=dumps(iptables_save=text))))

    assert found is not None
    assert found.command.endswith(f"-I {chain} -s 172.17.0.2 -d 8.8.8.8 -p tcp --dport 80 -j {verdict}")


@pytest.mark.parametrize(
    "rule",
    ["-A ufw-user-forward -p tcp -j DROP\n", "-A FORWARD -m conntrack --ctstate NEW,INVALID -j DROP\n"],
    ids=["a-program's", "for-what-is-invalid"],
)
def test_against_some_rules_nothing_is_offered(tmp_path: Path, rule: str) -> None:
    """A program would make its own again; and what is invalid would leave untranslated."""
    text = rules(forward=f"-A FORWARD -j ufw-user-forward\n{rule}")
    text = text.replace(":OUTPUT", ":ufw-user-forward - [0:0]\n:OUTPUT")

    assert _of_rule(_case(Scene(tmp_path, dumps=dumps(iptables_save=text)))) is None


def test_an_answer_passes_by_its_connection(tmp_path: Path) -> None:
    """Its ports are any; so what belongs to a connection is let pass, whatever it is."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(forward="-A FORWARD -p tcp --sport 80 -j DROP\n")))
    scene.out(0, 6, SYN)
    scene.back(5, 6, tcp(80, 40_000, 7, 2, 0x12), until="wlan0")
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    found = _of_rule(scene.case())

    assert found is not None
    assert found.command == "iptables -t filter -I FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"


@pytest.mark.parametrize(
    ("of_answer", "words"),
    [(False, "-s 172.17.0.2 -d 8.8.8.8 -p tcp --dport 80"), (True, "-m conntrack --ctstate RELATED,ESTABLISHED")],
)
def test_a_policy_stays_and_an_exception_comes_before_it(tmp_path: Path, of_answer: bool, words: str) -> None:
    """A policy for all is nobody's remedy."""
    case = _case(Scene(tmp_path, dumps=dumps(iptables_save=rules(policy="DROP"))))
    found = _of_rule(case, of_answer=of_answer)

    assert found is not None
    assert found.command == f"iptables -t filter -I FORWARD {words} -j ACCEPT"


@pytest.mark.parametrize(
    ("dump", "six", "tool"),
    [("iptables-save.txt", False, "iptables"), ("ip6tables-save.txt", True, "ip6tables"),
     ("iptables-legacy-save.txt", False, "iptables-legacy")],
)  # fmt: skip
def test_each_dump_has_a_tool_of_its_own(tmp_path: Path, dump: str, six: bool, tool: str) -> None:
    """By IP version, and by which of the kernel's two forms the rule is in."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules()))
    scene.dumps["ip-route.json"] = [{"dst": "default", "gateway": "192.168.1.1", "dev": "wlan0"},
                                    {"dst": "default", "gateway": "fd00:1::1", "dev": "wlan0"}]  # fmt: skip
    scene.dumps[dump] = rules(nat="", forward="-A FORWARD -p tcp -j DROP\n")
    found = _of_rule(_case(scene, 6, SYN, **(SIX if six else {})))

    assert found is not None
    assert found.command.partition(" ")[0] == tool


@pytest.mark.parametrize(
    ("forward", "policy"), [("-A FORWARD -p tcp --dport 81 -j DROP\n", "ACCEPT"), ("", "DROP")], ids=["rule", "policy"]
)
def test_what_is_translated_is_excepted_as_it_is_behind_that(tmp_path: Path, forward: str, policy: str) -> None:
    """What is in FORWARD sees the container's address and port, not those that the client asked for."""
    nat = "-A PREROUTING -d 192.168.1.100/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:81\n"
    files = dumps(iptables_save=rules(nat=nat, forward=forward, policy=policy))
    files["docker-inspect.json"][1]["NetworkSettings"]["Ports"] = {  # type: ignore[index]
        "81/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]
    }
    scene = Scene(tmp_path, dumps=files)
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet("100.64.0.2", HOST, 6, tcp(40_000, 8080, 1, 0, 2))))
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    found = _of_rule(scene.case())

    assert found is not None
    assert found.command == "iptables -t filter -I FORWARD -s 100.64.0.2 -d 172.17.0.3 -p tcp --dport 81 -j ACCEPT"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Record a packet that the host does not pass on."""
    return _case(Scene(tmp_path_factory.mktemp("fixes"), dumps=dumps()))


def _route(kind: str, dst: str, table: str, action: str | None) -> Chosen:
    rule = RoutingRule(50, 4, None, None, None, None, False, table, action, "50: from all")
    return Chosen(Route(ip_network(dst), None, None, 0, table, f"{kind} {dst}", kind), rule)


@pytest.mark.parametrize(
    ("chosen", "command"),
    [
        (_route("blackhole", "8.8.8.0/24", "main", None), "ip route del blackhole 8.8.8.0/24"),
        (_route("unreachable", "0.0.0.0/0", "main", None), "ip route del unreachable default"),
        (_route("blackhole", "8.8.8.0/24", "vpn", None), "ip route del blackhole 8.8.8.0/24 table vpn"),
        (_route("unreachable", "0.0.0.0/0", "vpn", None), None),
        (_route("prohibit", "0.0.0.0/0", "main", "prohibit"), "ip rule del priority 50"),
    ],
    ids=["prefix", "default", "in-a-table", "default-of-a-tunnel", "rule"],
)
def test_a_route_that_leads_nowhere_goes(case: Case, chosen: Chosen, command: str | None) -> None:
    """But not one that is there so that nothing leaves past a tunnel."""
    found = fix(case, 0, Cause("host-unreachable", "", (), route=chosen))

    assert (found.command if found is not None else None) == command


@pytest.mark.parametrize(
    ("check", "value"), [("reverse-path-filtered", "2"), ("forwarding-disabled", "1"), ("loopback-not-routed", "1")]
)
def test_source_validation_is_made_loose_and_switches_are_turned_on(case: Case, check: str, value: str) -> None:
    """It goes on asking whether there is any way back. All settings are set at once."""
    found = fix(case, 0, Cause(check, "", (), settings=("net.a", "net.b")))

    assert found is not None
    assert found.command == f"sysctl -w net.a={value} net.b={value}"
    assert dict(found.change(case.hosts[None]).sysctls) == {"net.ipv4.ip_forward": "1", "net.a": value, "net.b": value}


def test_where_nothing_is_known_to_help_nothing_is_offered(case: Case) -> None:
    """A neighbour that does not answer is nobody's setting."""
    assert fix(case, 0, Cause("arp-unanswered", "", (), next_hop=ip_address("192.168.1.1"))) is None

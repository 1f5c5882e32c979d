"""Who listens where something is refused: there, only elsewhere, or in another container that was meant."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.case import Case
from analyzer.explain.listening import Listening, listening, meant
from tests.build import BRIDGE, C1, C2, tcp, udp
from tests.explain.scene import INSIDE, Scene, frame, packet
from tests.explain.state import container, dumps, links

SYN = 0x02
WEB, OTHER, GATEWAY = "172.17.0.3", "172.17.0.4", "172.17.0.1"
C3 = "02:42:ac:11:00:04"


def _ss(*ends: str) -> str:
    return "".join(f"{end.partition('/')[2] or 'tcp'} LISTEN 0 128 {end.partition('/')[0]} 0.0.0.0:*\n" for end in ends)


def _asked(
    folder: Path, listens: dict[str, str], *, dst: str = WEB, body: bytes | None = None, proto: int = 6,
    until_ms: float | None = None, containers: list[object] | None = None,
) -> Case:  # fmt: skip
    """Let c2 ask a port 80; *listens* is what ss says, by container, of the host by the empty name."""
    inspected = containers or [container("c2", INSIDE, C1), container("web", WEB, C2), container("old", OTHER, C3)]
    veths = [{"ifindex": 9 + n, "ifname": name, "master": "docker0", "operstate": "UP",
              "linkinfo": {"info_kind": "veth"}} for n, name in enumerate(("veth-c2", "veth-web"))]  # fmt: skip
    folder.mkdir(exist_ok=True)
    scene = Scene(folder, dumps=dumps(ip_addr=[*links(), *veths], docker_inspect=inspected))
    for name, mac, ip in (("web", C2, WEB), ("old", C3, OTHER)):
        link = {"ifindex": 9, "ifname": "eth0", "address": mac, "operstate": "UP", "addr_info": [{"local": ip}]}
        scene.dumps[f"containers/{name}/ip-addr.json"] = [link]
    for name, text in listens.items():
        scene.dumps[f"containers/{name}/ss.txt" if name else "ss.txt"] = text
    data = packet(INSIDE, dst, proto, body or tcp(4000, 80, 1, 0, SYN))
    to = C2 if dst == WEB else BRIDGE
    scene.see("veth-c2", 10, frame(C1, to, data))
    scene.see("docker0" if to == BRIDGE else "veth-web", 10.1, frame(C1, to, data))
    if until_ms is not None:
        scene.recorded(until_ms)
    return scene.case()


def _told(folder: Path, listens: dict[str, str], **fields: Any) -> dict[str, Any]:
    return listening(_asked(folder, listens, **fields), 0).facts


@pytest.mark.parametrize(
    ("ss", "only_at"),
    [
        (_ss("127.0.0.1:80"), ["127.0.0.1"]),
        (_ss("[::1]:80", "127.0.0.1:80"), ["127.0.0.1", "::1"]),
        (_ss("10.9.9.9:80"), ["10.9.9.9"]),
        (_ss("[::]:80"), ["IPv6"]),
    ],
    ids=["loopback", "both-loopbacks", "another-address", "another-version"],
)
def test_somebody_has_the_port_only_at_another_address(tmp_path: Path, ss: str, only_at: list[str]) -> None:
    """That is told before who else listens there."""
    found = listening(_asked(tmp_path, {"web": ss, "old": _ss("0.0.0.0:80")}), 0)

    assert found.facts["only_at"] == only_at
    assert found.elsewhere == []
    assert all(line.startswith("containers/web/ss.txt: ") for line in found.proof)


@pytest.mark.parametrize(
    ("until_ms", "known"), [(9000, True), (10.1, False), (None, False)], ids=["later", "just-then", "unknown"]
)
def test_who_listens_now_counts_if_it_was_recorded_afterwards(
    tmp_path: Path, until_ms: float | None, known: bool
) -> None:
    """Else nothing is said: at that time nobody may have."""
    found = _told(tmp_path, {"web": _ss("0.0.0.0:80")}, until_ms=until_ms)

    assert found == ({"listens_now": "somebody"} if known else {})


def test_where_nobody_listens_all_others_are_told(tmp_path: Path) -> None:
    """Those that others can reach, of the same protocol, by port, each once; no more than five."""
    ends = [
        "0.0.0.0:9000",
        "0.0.0.0:22",
        "[::]:22",
        "127.0.0.1:5",
        "0.0.0.0:53/udp",
        *(f"0.0.0.0:{n}" for n in range(30, 35)),
    ]
    found = listening(_asked(tmp_path, {"web": _ss(*ends)}), 0)

    assert found.facts["nobody_at"] == "80/tcp"
    assert found.facts["listens_on"] == ["22/tcp", "30/tcp", "31/tcp", "32/tcp", "33/tcp"]
    assert len(found.proof) == 5


@pytest.mark.parametrize("ss", ["", _ss("127.0.0.1:5", "0.0.0.0:80/udp")], ids=["nobody", "no-tcp"])
def test_that_nobody_listens_at_all_is_a_proof_of_its_own(tmp_path: Path, ss: str) -> None:
    """The port of another protocol is another one."""
    found = listening(_asked(tmp_path, {"web": ss}), 0)

    assert found.facts["listens_on"] == []
    assert found.proof == ("containers/web/ss.txt: no tcp socket listens",)


def test_a_datagram_asks_for_those_of_its_own_protocol(tmp_path: Path) -> None:
    """TCP's are no matter to it."""
    found = _told(tmp_path, {"web": _ss("0.0.0.0:80", "0.0.0.0:53/udp")}, body=udp(4000, 80, b"x"), proto=17)

    assert (found["nobody_at"], found["listens_on"]) == ("80/udp", ["53/udp"])


@pytest.mark.parametrize(
    ("ss", "elsewhere"),
    [(_ss("0.0.0.0:80"), ["old"]), (_ss("127.0.0.1:80"), []), (_ss("0.0.0.0:80/udp"), []), (_ss("0.0.0.0:81"), [])],
    ids=["for-all", "for-itself", "other-protocol", "other-port"],
)
def test_another_container_has_the_port_if_others_can_reach_it(tmp_path: Path, ss: str, elsewhere: list[str]) -> None:
    """One that listens for itself alone has it for nobody; nor has who refuses."""
    assert listening(_asked(tmp_path, {"web": "", "old": ss}), 0).elsewhere == elsewhere


@pytest.mark.parametrize(
    ("listens", "dst", "proto"),
    [({}, WEB, 6), ({"": _ss("0.0.0.0:22")}, "8.8.8.8", 6), ({"web": ""}, WEB, 47), ({"old": ""}, WEB, 6)],
    ids=["not-recorded", "not-the-host's", "without-ports", "of-another"],
)
def test_of_whom_nothing_was_recorded_nothing_is_told(
    tmp_path: Path, listens: dict[str, str], dst: str, proto: int
) -> None:
    """Who listens on this host is no matter to a server elsewhere."""
    assert listening(_asked(tmp_path, listens, dst=dst, proto=proto), 0) == Listening()


def test_the_host_is_asked_for_what_came_to_its_own_address(tmp_path: Path) -> None:
    """What Docker publishes nearby comes before who else listens; no container is named as having the port."""
    published = container("web", WEB, C2)
    assert isinstance(published, dict)
    published["NetworkSettings"]["Ports"] = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}
    plain = _told(tmp_path / "plain", {"": _ss("0.0.0.0:22")}, dst=GATEWAY)
    hinted = _told(tmp_path / "hinted", {"": _ss("0.0.0.0:22")}, dst=GATEWAY, containers=[published])

    assert (plain["nobody_at"], plain["listens_on"], plain["elsewhere"]) == ("80/tcp", ["22/tcp"], [])
    assert (hinted["publishes"], hinted["publisher"]) == ("inside-port", "web")


def _named(name: str, ip: str, mac: str, alias: str = "", created: str = "") -> dict[str, Any]:
    found = container(name, ip, mac)
    assert isinstance(found, dict)
    found["NetworkSettings"]["Networks"]["bridge"]["Aliases"] = [alias] if alias else []
    return found | {"Created": created}


DAYS = [f"2026-11-0{day}T00:00:00Z" for day in range(1, 4)]


@pytest.mark.parametrize(
    ("aliases", "created", "told"),
    [
        (("api", "api"), DAYS, {"alias": "api"}),
        (("api", "db"), DAYS, {"made_since": ["old"], "now_at": [OTHER]}),
        (("", ""), (DAYS[1], DAYS[0], DAYS[2]), {}),
        (("", ""), ("", DAYS[1], DAYS[2]), {}),
    ],
    ids=["a-name-of-both", "made-since", "older-than-the-asker", "unknown"],
)
def test_why_a_client_asks_the_wrong_one(
    tmp_path: Path, aliases: tuple[str, str], created: list[str], told: dict[str, Any]
) -> None:
    """Both have one name; or both were made after the client, which may know an old address."""
    containers: list[object] = [
        _named("c2", INSIDE, C1, created=created[0]),
        _named("web", WEB, C2, aliases[0], created[1]),
        _named("old", OTHER, C3, aliases[1], created[2]),
    ]
    case = _asked(tmp_path, {"web": "", "old": _ss("0.0.0.0:80")}, containers=containers)
    web = case.hosts[None].container_of_address(case.context.dst(int(case.last_row[0])))  # type: ignore[arg-type]

    assert meant(case, 0, web, ["old"]) == told
    assert meant(case, 0, web, []) == meant(case, 0, None, ["old"]) == meant(case, 0, web, ["who"]) == {}

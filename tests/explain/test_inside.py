"""What containers' own namespaces do: drop, reject, answer by another way, keep what they send, listen elsewhere."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, echo, tcp
from tests.explain.scene import INSIDE, Scene, frame, packet
from tests.explain.state import container, dumps, links

SYN, RST, ACK = 0x02, 0x04, 0x10
WEB = "172.17.0.3"
DROP = "-A INPUT -p tcp -m tcp --dport 80 -j DROP"
FILTER = "*filter\n:INPUT {policy} [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n"
LOCAL = {"type": "local", "dst": "172.17.0.3", "dev": "eth0", "table": "local"}
ON_LINK = {"dst": "172.17.0.0/16", "dev": "eth0", "prefsrc": WEB}
DEFAULT = {"dst": "default", "gateway": "172.17.0.1", "dev": "eth0"}


def _inside(name: str = "web", mac: str = C2, ip: str = WEB, **files: object) -> dict[str, object]:
    """Return dumps of a container's namespace; *files* by name without ending, ``before_NAME`` of before."""
    link = {"ifindex": 9, "ifname": "eth0", "address": mac, "operstate": "UP", "link_index": 10,
            "linkinfo": {"info_kind": "veth"}, "addr_info": [{"local": ip}] if ip else []}  # fmt: skip
    found: dict[str, object] = {
        "ip-addr.json": [link], "ip-route.json": [LOCAL, ON_LINK, DEFAULT], "iptables-save.txt": "",
        "sysctl.txt": "net.ipv4.icmp_echo_ignore_all = 0\n", "ss.txt": "",
    }  # fmt: skip
    found |= {name.replace("__", "-"): value for name, value in files.items()}
    return {f"containers/{name}/{file}": value for file, value in found.items()}


def _scene(folder: Path, **files: object) -> Scene:
    changed = {f"{name}.json" if name.startswith("ip__") else f"{name}.txt": value for name, value in files.items()}
    veths = [{"ifindex": 9 + n, "ifname": name, "master": "docker0", "operstate": "UP",
              "linkinfo": {"info_kind": "veth"}} for n, name in enumerate(("veth-c2", "veth-web"))]  # fmt: skip
    host = dumps(**{"ip-addr.json": [*links(), *veths]})
    return Scene(folder, dumps=host | _inside(**{file.replace("_save", "__save"): v for file, v in changed.items()}))


def _asked(scene: Scene, *times: float, flags: int = SYN, src: str = INSIDE, mac: str = C1) -> None:
    """Let SYNs come to the web server's port."""
    for number, ms in enumerate(times):
        scene.see("veth-c2", ms, frame(mac, C2, packet(src, WEB, 6, tcp(4000, 80, 1, 0, flags), ident=number)))
        scene.see("veth-web", ms + 0.1, frame(mac, C2, packet(src, WEB, 6, tcp(4000, 80, 1, 0, flags), ident=number)))


def _end(scene: Scene, ms: float = 9000) -> None:
    scene.see("veth-c2", ms, frame(C1, C2, packet(INSIDE, WEB, 17, b"\0\7\0\7\0\x08\0\0", ident=99)))


@pytest.mark.parametrize(
    ("rules", "policy", "title"),
    [
        (DROP, "ACCEPT", "rule 1 of INPUT inside web drops it"),
        ("-A INPUT -p tcp -m tcp --dport 443 -j DROP", "ACCEPT", ""),
        ("", "DROP", "inside web no rule of filter INPUT accepts it, and its policy is DROP"),
        ("-A INPUT -s 172.17.0.0/16 -j ACCEPT", "DROP", ""),
        ("-A OUTPUT -p tcp -m tcp --sport 80 -j DROP", "ACCEPT", "rule 1 of OUTPUT inside web drops its answers"),
    ],
    ids=["rule", "another-port", "policy", "accepted", "answers"],
)
def test_its_own_rules(tmp_path: Path, rules: str, policy: str, title: str) -> None:
    """Those of its own namespace, for what comes and for what it answers; others are not accused."""
    scene = _scene(tmp_path, iptables_save=FILTER.format(policy=policy, rules=f"{rules}\n" if rules else ""))
    _asked(scene, 10, 1010, 3010)
    _end(scene)
    found = scene.findings("stopped-in-container")

    assert [finding.title.partition(": ")[2] for finding in found] == [title] * bool(title)
    assert all(finding.title.startswith("c2 cannot reach web") for finding in found)
    for finding in found:
        assert finding.proof[0].startswith("containers/web/iptables-save.txt: ")
        assert finding.commands
        assert all("nsenter -t" in command and " -n iptables -t filter " in command for command in finding.commands)


def test_a_rule_that_rejects(tmp_path: Path) -> None:
    """Its RST is no program's refusal."""
    rule = f"{DROP.removesuffix('DROP')}REJECT --reject-with tcp-reset"
    listens = "tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n"
    scene = _scene(tmp_path, ss=listens, iptables_save=FILTER.format(policy="ACCEPT", rules=f"{rule}\n"))
    _asked(scene, 10)
    for point in ("veth-web", "veth-c2"):
        scene.see(point, 10.3, frame(C2, C1, packet(WEB, INSIDE, 6, tcp(80, 4000, 0, 2, RST | ACK), ident=50)))
    _end(scene)

    assert [finding.check for finding in scene.findings() if finding.severity is Severity.ERROR] == [
        "stopped-in-container"
    ]


def test_no_way_back(tmp_path: Path) -> None:
    """Whoever asks from another network gets no answer; the route that is missing is offered."""
    scene = _scene(tmp_path, ip__route=[LOCAL, ON_LINK])
    for number, ms in enumerate((10, 1010, 3010)):
        scene.see("veth-web", ms, frame(BRIDGE, C2, packet("9.9.9.9", WEB, 6, tcp(4000, 80, 1, 0, SYN), ident=number)))
    _end(scene)
    (finding,) = scene.findings("stopped-in-container")

    assert finding.title == "9.9.9.9 cannot reach web:80 (TCP): web has no way back: no default route for IPv4"
    assert finding.commands == (
        "nsenter -t \"$(docker inspect -f '{{.State.Pid}}' web)\" -n ip route replace default via 172.17.0.1 dev eth0",
    )


def test_answers_by_another_network(tmp_path: Path) -> None:
    """They leave by its other interface."""
    routes = [LOCAL, ON_LINK, {"dst": "default", "gateway": "10.9.0.1", "dev": "eth1"}]
    scene = _scene(tmp_path, ip__route=routes)
    scene.see("veth-web", 10, frame(BRIDGE, C2, packet("9.9.9.9", WEB, 6, tcp(4000, 80, 1, 0, SYN))))
    _end(scene)
    (finding,) = scene.findings("stopped-in-container")

    assert finding.title.endswith("web sends its answers out by eth1, another network")


@pytest.mark.parametrize(
    ("ignores", "answers", "title"),
    [
        (1, 0, "c2 cannot reach web (ICMP): its kernel ignores pings, net.ipv4.icmp_echo_ignore_all is 1"),
        (0, 0, "c2 cannot reach web (ICMP): pings get to veth-web, and nothing comes back"),
        (0, 2, ""),
    ],
    ids=["told-to", "nobody-knows", "answered"],
)
def test_pings(tmp_path: Path, ignores: int, answers: int, title: str) -> None:
    """Those that came to a container, and that it did not answer."""
    scene = _scene(tmp_path, sysctl=f"net.ipv4.icmp_echo_ignore_all = {ignores}\n")
    for number in range(2):
        for point, late in (("veth-c2", 0), ("veth-web", 0.1)):
            scene.see(point, 10 + number + late, frame(C1, C2, packet(INSIDE, WEB, 1, echo(8, 7, number))))
        for point, late in (("veth-web", 0.2), ("veth-c2", 0.3)) if number < answers else ():
            scene.see(point, 10 + number + late, frame(C2, C1, packet(WEB, INSIDE, 1, echo(0, 7, number))))
    _end(scene)

    assert [finding.title for finding in scene.findings("ping-unanswered")] == [title] * bool(title)


@pytest.mark.parametrize(
    ("listens", "title"),
    [
        ("127.0.0.1:80", "nginx listens only on 127.0.0.1"),
        ("0.0.0.0:8080", "web refuses, it listens on 8080/tcp (nginx)"),
        ("*:80", "web refuses, nothing listens there"),
    ],
    ids=["on-loopback", "on-another-port", "by-now"],
)
def test_who_listens(tmp_path: Path, listens: str, title: str) -> None:
    """In the container that refuses."""
    scene = _scene(tmp_path, ss=f'tcp LISTEN 0 128 {listens} 0.0.0.0:* users:(("nginx",pid=7,fd=3))\n')
    _asked(scene, 10)
    for point in ("veth-web", "veth-c2"):
        scene.see(point, 10.3, frame(C2, C1, packet(WEB, INSIDE, 6, tcp(80, 4000, 0, 2, RST | ACK), ident=50)))
    _end(scene)
    (finding,) = scene.findings("connection-refused")

    assert finding.title == f"c2 cannot reach web:80 (TCP): {title}"


def _sender(scene: Scene, before: dict[str, object], after: dict[str, object]) -> Scene:
    scene.dumps |= _inside("c2", C1, INSIDE, **after)
    scene.dumps |= {f"before/{name}": value for name, value in _inside("c2", C1, INSIDE, **before).items()}
    scene.see("veth-c2", 1, frame(BRIDGE, C1, packet("9.9.9.9", INSIDE, 17, b"\0\7\0\7\0\x08\0\0")))
    return scene


def _nstat(**counts: int) -> dict[str, object]:
    return {"nstat.txt": "".join(f"{name} {count} 0.0\n" for name, count in counts.items())}


@pytest.mark.parametrize(
    ("before", "after", "title"),
    [
        ({"IpOutNoRoutes": 1}, {"IpOutNoRoutes": 4}, "c2 has no route for 3 packets that it wanted to send"),
        ({"IpOutNoRoutes": 4}, {"IpOutNoRoutes": 4}, ""),
        (
            {"TcpAttemptFails": 0, "TcpOutRsts": 5},
            {"TcpAttemptFails": 2, "TcpOutRsts": 7},
            "c2 refused 2 connections itself: it asks for localhost, or for its own address",
        ),
        ({"TcpAttemptFails": 0, "TcpOutRsts": 5}, {"TcpAttemptFails": 2, "TcpOutRsts": 5}, ""),
    ],
    ids=["no-route", "stood-still", "itself", "given-up"],
)
def test_nothing_left(tmp_path: Path, before: dict[str, int], after: dict[str, int], title: str) -> None:
    """By the counters of its own namespace."""
    scene = _sender(Scene(tmp_path, dumps=dumps()), _nstat(**before), _nstat(**after))
    scene.recorded(5000, container="c2")
    found = scene.findings("nothing-left")

    assert [finding.title for finding in found] == [title] * bool(title)
    assert all(finding.severity is Severity.ERROR for finding in found)


@pytest.mark.parametrize(
    ("command", "told"), [(("docker", "exec", "c2", "curl"), True), (("sleep", "9"), False), ((), False)]
)
def test_nothing_left_and_nothing_known(tmp_path: Path, command: tuple[str, ...], told: bool) -> None:
    """A command ran in it, and it sent nothing: that is worth knowing, though nothing is known to be wrong."""
    scene = _sender(Scene(tmp_path, dumps=dumps()), _nstat(), _nstat())
    scene.recorded(5000, container="c2", command=command)
    found = scene.findings("nothing-left")

    assert [finding.title for finding in found] == ["c2 sent nothing at all while “docker exec c2 curl” ran"] * told
    assert all(finding.severity is Severity.INFO for finding in found)


@pytest.mark.parametrize(("counted", "told"), [(4, 4), (0, 0)], ids=["counted", "stood-still"])
def test_rules_that_keep_it_in(tmp_path: Path, counted: int, told: int) -> None:
    """A rule that is reached from OUTPUT, by its counter."""
    rules = "[{count}:{count}] -A OUTPUT -j OUT\n[{count}:{count}] -A OUT -j DROP\n"
    text = FILTER.replace("{rules}", ":OUT - [0:0]\n" + rules).replace("{policy}", "ACCEPT")
    scene = _sender(
        Scene(tmp_path, dumps=dumps()),
        {"iptables-save.txt": text.format(count=1)}, {"iptables-save.txt": text.format(count=1 + counted)},
    )  # fmt: skip
    scene.recorded(5000, container="c2")

    assert [finding.title for finding in scene.findings("nothing-left")] == [
        f"rule 1 of OUT inside c2 stopped {told} packets that it sent"
    ] * bool(told)


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [("paused", b"", True), ("paused", b"yes", False), ("running", b"", False)],
    ids=["paused", "answered-before", "runs"],
)
def test_paused(tmp_path: Path, status: str, answer: bytes, told: bool) -> None:
    """Its kernel grants the connection and takes the data; no data comes back."""
    scene = _scene(tmp_path)
    (_, web) = scene.dumps["docker-inspect.json"]  # type: ignore[misc]
    web["State"] = {"Status": status}
    talk = [
        (C1, INSIDE, WEB, 1, 0, SYN, b""),
        (C2, WEB, INSIDE, 7, 2, SYN | ACK, b""),
        (C1, INSIDE, WEB, 2, 8, ACK, b"ask"),
        (C2, WEB, INSIDE, 8, 5, ACK, answer),
    ]
    for number, (mac, src, dst, seq, ack, flags, data) in enumerate(talk):
        ports = (4000, 80) if src == INSIDE else (80, 4000)
        for point in ("veth-c2", "veth-web") if src == INSIDE else ("veth-web", "veth-c2"):
            body = tcp(*ports, seq, ack, flags, payload=data)
            scene.see(point, 10 + number, frame(mac, C2 if mac == C1 else C1, packet(src, dst, 6, body, ident=number)))
    _end(scene)

    assert [finding.title for finding in scene.findings("container-paused")] == [
        "c2 cannot use web:80 (TCP): web is paused"
    ] * told


def test_another_container_that_listens_there(tmp_path: Path) -> None:
    """Whoever asks an address that another container has now."""
    scene = _scene(tmp_path)
    scene.dumps |= _inside("c2", C1, INSIDE, **{"ss.txt": "tcp LISTEN 0 128 *:80 *:*\n"})
    _asked(scene, 10)
    for point in ("veth-web", "veth-c2"):
        scene.see(point, 10.3, frame(C2, C1, packet(WEB, INSIDE, 6, tcp(80, 4000, 0, 2, RST | ACK), ident=50)))
    _end(scene)
    (finding,) = scene.findings("connection-refused")

    assert finding.title == "c2 cannot reach web:80 (TCP): nothing listens there in web, but in c2"


@pytest.mark.parametrize(
    ("aliases", "created", "title"),
    [
        ((["db"], ["db", "web"]), ("", ""), "name db is of web and c3 alike, and only c3 has that port"),
        ((None, None), ("2026-01-01", "2026-01-02"), "it asks the address that c3 had before; web has it now"),
        ((None, None), ("2026-01-02", "2026-01-01"), "nothing listens there in web, but in c3"),
        ((["a"], ["b"]), ("", ""), "nothing listens there in web, but in c3"),
    ],
    ids=["one-name", "made-since", "made-before", "two-names"],
)
def test_why_the_other_one_is_asked(
    tmp_path: Path, aliases: tuple[list[str] | None, list[str] | None], created: tuple[str, str], title: str
) -> None:
    """A name that two have, or an address that was looked up before both were made anew."""
    scene = _scene(tmp_path)
    scene.dumps |= _inside("c3", "02:42:ac:11:00:09", "172.17.0.9", **{"ss.txt": "tcp LISTEN 0 128 *:80 *:*\n"})
    made = [container("c2", INSIDE, C1), container("web", WEB, C2), container("c3", "172.17.0.9", "02:42:ac:11:00:09")]
    for one, names, when in zip(made[1:], aliases, (created[1], created[1]), strict=True):
        one["NetworkSettings"]["Networks"]["bridge"]["Aliases"] = names  # type: ignore[index]
        one["Created"] = when  # type: ignore[index]
    made[0]["Created"] = created[0]  # type: ignore[index]
    scene.dumps["docker-inspect.json"] = made
    _asked(scene, 10)
    for point in ("veth-web", "veth-c2"):
        scene.see(point, 10.3, frame(C2, C1, packet(WEB, INSIDE, 6, tcp(80, 4000, 0, 2, RST | ACK), ident=50)))
    _end(scene)
    (finding,) = scene.findings("connection-refused")

    assert finding.title == f"c2 cannot reach web:80 (TCP): {title}"


@pytest.mark.parametrize(("failed", "told"), [(3, "c2 refused 2 connections itself"), (1, "")], ids=["more", "as-many"])
def test_what_was_refused_elsewhere_is_not_its_own(tmp_path: Path, failed: int, told: str) -> None:
    """The kernel counts both; those that were captured are told as what they are."""
    counters = ({"TcpAttemptFails": 0, "TcpOutRsts": 0}, {"TcpAttemptFails": failed, "TcpOutRsts": failed})
    scene = _sender(Scene(tmp_path, dumps=dumps()), *(_nstat(**one) for one in counters))
    scene.see("veth-c2", 10, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 6, tcp(4000, 80, 1, 0, SYN), ident=1)))
    scene.see("veth-c2", 11, frame(BRIDGE, C1, packet("9.9.9.9", INSIDE, 6, tcp(80, 4000, 0, 2, RST | ACK), ident=2)))
    scene.recorded(5000, container="c2")
    found = scene.findings("nothing-left")

    assert [finding.title.partition(":")[0] for finding in found] == [told] * bool(told)
    assert all(finding.severity is Severity.WARNING for finding in found)

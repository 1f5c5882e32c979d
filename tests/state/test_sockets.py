"""Who listens, as ss prints it, and whom names are asked of, as resolv.conf says it."""

from ipaddress import ip_address

import pytest

from analyzer.model import Listener
from analyzer.state.sockets import parse_listeners, parse_resolvers


def _line(local: str, *, proto: str = "tcp", state: str = "LISTEN", queues: str = "0      128", rest: str = "") -> str:
    return f"{proto}   {state} {queues}    {local}   0.0.0.0:*   {rest}".rstrip()


@pytest.mark.parametrize(
    ("local", "address", "version", "interface"),
    [
        ("0.0.0.0:80", None, 4, None),
        ("*:80", None, None, None),
        ("[::]:80", None, 6, None),
        ("127.0.0.1:80", "127.0.0.1", 4, None),
        ("[::1]:80", "::1", 6, None),
        ("[::ffff:127.0.0.1]:80", "127.0.0.1", 4, None),
        ("127.0.0.53%lo:80", "127.0.0.53", 4, "lo"),
        ("[fe80::1]%eth0:80", "fe80::1", 6, "eth0"),
        ("0.0.0.0%docker0:80", None, 4, "docker0"),
        ("*%eth0:80", None, None, "eth0"),
    ],
)
def test_where_a_socket_listens(local: str, address: str | None, version: int | None, interface: str | None) -> None:
    """At all addresses of one version or of both, or at one; mapped ones are IPv4's; perhaps at one interface alone."""
    ip = None if address is None else ip_address(address)

    assert parse_listeners([_line(local)]) == (Listener("tcp", ip, version, 80, "", 0, 128, interface),)


@pytest.mark.parametrize(
    ("rest", "program"),
    [
        ('users:(("nginx",pid=7,fd=6),("nginx",pid=8,fd=6)) ino:5 sk:1', "nginx"),
        ('users:(("odd \\"name\\"",pid=7,fd=6))', 'odd \\"name\\"'),
        ('users:(("sleep",pid=28,fd=5),("pasta.avx2",pid=9,fd=5)) uid:7', "pasta.avx2"),
        ("ino:5 sk:1 cgroup:/x", ""),
        ("", ""),
    ],
)
def test_the_program_is_the_oldest_of_its_users(rest: str, program: str) -> None:
    """If they were recorded; both numbers of the queue are told in any case."""
    (found,) = parse_listeners([_line("*:443", queues="3 4096", rest=rest)])

    assert (found.program, found.waiting, found.room) == (program, 3, 4096)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port",
        "tcp LISTEN 0 128 *:80",
        _line("127.0.0.1:80", state="ESTAB"),
        _line("127.0.0.1:80", proto="raw", state="UNCONN"),
        _line("127.0.0.1:http"),
        _line("localhost:80"),
        _line("127.0.0.1:80", queues="x 128"),
        _line("127.0.0.1:80", queues="0 -1"),
    ],
)
def test_what_is_no_listener_is_left_out(line: str) -> None:
    """Those before and behind it are read; UNCONN is how datagrams are waited for."""
    others = _line("*:1"), _line("*:2", proto="udp", state="UNCONN")

    assert [(one.protocol, one.port) for one in parse_listeners([others[0], line, others[1]])] == [
        ("tcp", 1),
        ("udp", 2),
    ]


def test_resolvers_are_asked_in_their_order() -> None:
    """Comments, options and names that are no addresses are passed over; an interface behind an address as well."""
    lines = [
        "# nameserver 9.9.9.9",
        "nameserver   127.0.0.11  ",
        "nameserver fe80::1%eth0",
        "nameserver resolver.example",
        "options ndots:0",
        "nameserver",
    ]

    assert parse_resolvers(lines) == ((ip_address("127.0.0.11"), ip_address("fe80::1")), ())


@pytest.mark.parametrize(
    ("lines", "domains"),
    [
        (["search a.example b.example"], ("a.example", "b.example")),
        (["search a.example", "search b.example"], ("b.example",)),
        (["search a.example", "domain c.example"], ("c.example",)),
        (["domain c.example", "search a.example b.example"], ("a.example", "b.example")),
        (["search"], ()),
        (["searching a.example"], ()),
    ],
)
def test_the_last_search_line_counts(lines: list[str], domains: tuple[str, ...]) -> None:
    """A domain line is one, too (resolv.conf(5))."""
    assert parse_resolvers(lines)[1] == domains


@pytest.mark.parametrize(
    ("rest", "pid", "container"),
    [
        (f'users:(("nginx",pid=7,fd=6)) ino:5 sk:1 cgroup:/system.slice/docker-{"ab" * 32}.scope <->', 7, "ab" * 32),
        (f"ino:5 cgroup:/docker/{'cd' * 32}", None, "cd" * 32),
        (f'users:(("x",pid=7,fd=6)) cgroup:/machine.slice/libpod-{"ef" * 32}.scope/container', 7, "ef" * 32),
        ('users:(("sshd",pid=7,fd=6)) cgroup:/system.slice/ssh.service', 7, ""),
        ("cgroup:unreachable:1", None, ""),
        ("", None, ""),
    ],
)
def test_whose_a_socket_is(rest: str, pid: int | None, container: str) -> None:
    """By its process, and by the cgroup in which it was made: engines name it after the container."""
    (found,) = parse_listeners([_line("*:443", rest=rest)])

    assert (found.pid, found.container_id) == (pid, container)

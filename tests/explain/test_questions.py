"""Questions to name servers: which stay open, which are slow, and how they are named."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.explain.questions import by_server, silent, slow, told
from analyzer.model.overview import NameQuery
from analyzer.report.words.names import embedded_dns_failed
from tests.build import tcp, udp
from tests.explain.dns import answer, ask, message
from tests.explain.scene import SERVER, Scene


def _query(name: str, kind: str = "A", server: str = SERVER) -> NameQuery:
    return NameQuery(name, kind, ip_address("172.17.0.2"), ip_address(server), 0, 0)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a A"], "a A"),
        (["a A", "b A"], "a A, b A"),
        (["a A", "b A", "c A", "d A"], "a A, b A, c A, d A"),
        (["a A", "b A", "c A", "d A", "e A"], "a A, b A, c A, d A and 1 more"),
        ([f"{name} A" for name in "abcdefg"], "a A, b A, c A, d A and 3 more"),
    ],
)
def test_four_are_named(names: list[str], text: str) -> None:
    """The others are counted."""
    found = embedded_dns_failed({"questions": len(names), "names": names})

    assert found.explanation.startswith(f"127.0.0.11 could not answer {text}. Names of containers it knows itself")


def test_one_name_of_two_kinds(tmp_path: Path) -> None:
    """They are two questions; the same one again is one, in the order in which they were asked."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(1, 2, b"x"))

    assert told(scene.case(), [_query("b"), _query("a"), _query("b", "AAAA"), _query("b")]).settled() == [
        "a A", "b A", "b AAAA",
    ]  # fmt: skip


def test_servers_by_address() -> None:
    """In the order in which they were first asked."""
    queries = [_query("a", server="9.9.9.9"), _query("b"), _query("c", server="9.9.9.9")]

    assert {str(server): [query.name for query in of] for server, of in by_server(queries).items()} == {
        "9.9.9.9": ["a", "c"],
        SERVER: ["b"],
    }


@pytest.mark.parametrize(("ms", "open_"), [(999, []), (1000, ["a.example"]), (9000, ["a.example"])])
def test_one_that_had_time(tmp_path: Path, ms: float, open_: list[str]) -> None:
    """A second until the captures end."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1)
    scene.out(ms, 6, tcp(1, 2, 3, 0, 2), until="veth-c2")

    assert [query.name for query in silent(scene.case())] == open_


@pytest.mark.parametrize(
    ("name", "kind", "server", "open_"),
    [
        ("a.example", "A", SERVER, 0),
        ("A.Example", "A", SERVER, 0),
        ("a.example", "AAAA", SERVER, 1),
        ("b.example", "A", SERVER, 1),
        ("a.example", "A", "9.9.9.9", 1),
    ],
    ids=["again", "other-case", "other-kind", "other-name", "other-server"],
)
def test_one_that_was_asked_again_and_answered(tmp_path: Path, name: str, kind: str, server: str, open_: int) -> None:
    """The same question to the same server, from another port; case does not count (RFC 4343)."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1)
    ask(scene, 5000, 2, name, kind, server=server)
    answer(scene, 5010, 2, name, kind, server=server)

    assert len(silent(scene.case())) == open_


def test_one_that_somebody_else_asked_and_got(tmp_path: Path) -> None:
    """It is open for who did not get it."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1)
    scene.out(5000, 17, udp(30_002, 53, message(2, "a.example")), src="172.17.0.3")
    scene.back(5010, 17, udp(53, 30_002, message(2, "a.example", "A", 0)), dst="172.17.0.3")

    assert len(silent(scene.case())) == 1


def test_one_that_an_icmp_error_answered(tmp_path: Path) -> None:
    """Whatever it says, it is no silence."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1)
    ask(scene, 10, 2, "b.example")
    scene.error(20, 3, 3, 17, udp(30_001, 53, message(1, "a.example")), ident=1)
    scene.out(5000, 6, tcp(1, 2, 3, 0, 2), until="veth-c2")

    assert [query.name for query in silent(scene.case())] == ["b.example"]


@pytest.mark.parametrize(("ms", "names"), [(1000, ["a.example"]), (999.9, []), (4000, ["a.example"])])
def test_slow_ones(tmp_path: Path, ms: float, names: list[str]) -> None:
    """Whose answer took a second and more, where it was asked."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1)
    answer(scene, ms - 0.04, 1)
    ask(scene, 6000, 2, "b.example")
    answer(scene, 6010, 2, "b.example")

    assert [query.name for query in slow(scene.case())] == names

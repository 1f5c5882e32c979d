"""What the commands that ask a kernel are given and how they end, with no kernel asked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main
from analyzer.model import HostState
from analyzer.model.replay import Agreement, Replay, Replayed
from analyzer.replay import shell
from analyzer.run import Trace
from tests.build import C1, C2, ether, ipv4, udp, write_pcap

BUNDLE = Path(__file__).parents[2] / "sample_pcaps" / "bundle"


def _run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[int] | None]:
    """Journeys that a kernel was asked for; of J1 it tells something else."""
    found: list[list[int] | None] = []

    def replay(_: Trace, numbers: list[int] | None = None) -> Replay:
        found.append(numbers)
        outcomes = [(one, Agreement.DIFFERS if one == 1 else Agreement.AGREES) for one in numbers or [0, 1]]
        return Replay(tuple(Replayed(one, "UDP", None, None, told, "") for one, told in outcomes), ("a rule",))

    monkeypatch.setattr(Trace, "replay", replay)
    monkeypatch.setattr(Trace, "replay_script", lambda _: "#!/bin/sh\n")
    return found


def test_journeys_that_are_named_are_replayed_else_the_usual_ones(asked: list[list[int] | None]) -> None:
    """In the order that was asked for."""
    assert [_run("replay", BUNDLE, *words).exit_code for words in (("J5", "0"), ())] == [0, 0]
    assert asked == [[5, 0], None]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("J99999",), "no journey J99999; there are J0 to J"),
        (("J0", "x"), "x: not a journey"),
        (("-o", "x.txt"), "-o x.txt: unknown ending; a script's is .sh"),
    ],
)
def test_what_there_is_not_is_refused(asked: list[list[int] | None], words: tuple[str, ...], why: str) -> None:
    """Before a kernel is asked."""
    told = _run("replay", BUNDLE, *words)

    assert (told.exit_code, told.stdout, asked) == (2, "", [])
    assert why in told.stderr


def test_the_last_journey_is_one(asked: list[list[int] | None]) -> None:
    """The number of packets is not the number of the last."""
    told = _run("replay", BUNDLE, "J99999").stderr
    last = int(told.rpartition("J")[2])

    assert [_run("replay", BUNDLE, f"J{number}").exit_code for number in (last, last + 1)] == [0, 2]
    assert asked == [[last]]


@pytest.mark.parametrize(
    ("words", "code"),
    [((), 0), (("--fail-on", "differs"), 1), (("--fail-on", "differs", "J0"), 0), (("--fail-on", "differs", "J1"), 1)],
)
def test_a_difference_fails_only_where_somebody_asked(
    asked: list[list[int] | None], words: tuple[str, ...], code: int
) -> None:
    """All is told in any case."""
    told = _run("replay", BUNDLE, *words)

    assert (told.exit_code, len(asked)) == (code, 1)
    assert told.stdout


@pytest.mark.usefixtures("asked")
def test_json_is_alone_on_stdout(tmp_path: Path) -> None:
    """What could not be built is told beside it; a script is written, too."""
    told = _run("replay", BUNDLE, "--json", "-o", tmp_path / "x.sh")

    assert [one["agreement"] for one in json.loads(told.stdout)["journeys"]] == ["agrees", "differs"]
    assert "hoptrace: not built: a rule\n" in told.stderr
    assert (tmp_path / "x.sh").read_text() == "#!/bin/sh\n"


def test_a_shell_is_given_the_host_and_its_containers_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Veths with their bridges, as the manifest has them; its exit code is the command's."""
    given: list[tuple[HostState, str | None, dict[str, tuple[str, str | None]]]] = []

    def opened(host: HostState, container: str | None, ports: dict[str, tuple[str, str | None]]) -> int:
        given.append((host, container, ports))
        return 7

    monkeypatch.setattr(shell, "open_shell", opened)
    told = _run("shell", BUNDLE, "-c", "web")
    ((host, container, ports),) = given

    assert (told.exit_code, container) == (7, "web")
    assert ports.keys() == {"web", "c1"}
    assert all(host.link(port) is not None and bridge == "docker0" for port, bridge in ports.values())


def test_without_dumps_there_is_no_host_to_open_a_shell_in(tmp_path: Path) -> None:
    """Captures alone say too little."""
    path = write_pcap(tmp_path / "x.pcap", [(1, ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, b""))))])
    told = _run("shell", path)

    assert told.exit_code == 3
    assert "no dumps of a host's state are there" in told.stderr

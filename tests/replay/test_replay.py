"""Recorded hosts are built again, here and now, and the kernel's account is hoptrace's."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main
from analyzer.errors import ToolError
from analyzer.model import Basis
from analyzer.model.replay import Agreement, Replay
from analyzer.replay import box
from analyzer.replay.plan import plan
from analyzer.run import Means, Trace, analyze_whole, prepare

pytestmark = pytest.mark.replay
ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path.parent for path in ROOT.glob("sample_pcaps/*/host"))
BUNDLES = ROOT / "tests" / "faults"
FAULTS = [
    path for path in sorted(BUNDLES.glob("*.tar.zst")) if not path.name.startswith("legacy-rule")
]  # not rebuilt, and said so
SAMPLE = ROOT / "sample_pcaps" / "bundle"
NOBODY = 65_534


def _trace(path: Path) -> Trace:
    with prepare([path]) as prepared:
        return analyze_whole(prepared)


def _replay(path: Path) -> Replay:
    with prepare([path]) as prepared:
        return analyze_whole(prepared).replay()


def _hoptrace(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.parametrize("path", [*SAMPLES, *FAULTS[::3]], ids=lambda path: path.name.removesuffix(".tar.zst"))
def test_the_kernel_agrees(path: Path) -> None:
    """Of each connection's first packet and of all that findings name; what cannot be said, says why."""
    replay = _replay(path)
    told = Counter(one.agreement for one in replay.journeys)

    assert [one for one in replay.journeys if one.agreement is Agreement.DIFFERS] == []
    assert all(one.why for one in replay.journeys if one.agreement is Agreement.UNSAID)
    assert told[Agreement.AGREES] or all(one.why for one in replay.journeys)


def test_rules_that_are_not_rebuilt_are_not_compared() -> None:
    """The kernel has no rules of iptables-legacy here: what hoptrace says of them it cannot confirm, nor deny."""
    first = _replay(BUNDLES / "legacy-rule.bridge.tar.zst").journeys[0]

    assert (first.agreement, first.why) == (Agreement.UNSAID, "rules of iptables-legacy-save.txt are not rebuilt")


def test_the_command() -> None:
    """A line a journey; every rule that was met with --verbose."""
    plain, told, one = (_hoptrace("replay", str(SAMPLE), *more) for more in ((), ("-v",), ("J5",)))

    assert plain.exit_code == told.exit_code == one.exit_code == 0
    assert "✓ J5 ICMP echo request seq 0: leaves by wlan0 as 192.168.1.100 → 8.8.8.8" in plain.stdout
    assert "3 journeys: 3 agree, 0 differs, 0 cannot be said" in plain.stdout
    assert "ip filter FORWARD: rule 5 -A FORWARD -i docker0 ! -o docker0 -j ACCEPT: accept" in told.stdout
    assert "1 journey: 1 agree" in one.stdout


def test_the_page_shows_it() -> None:
    """Letter by letter."""
    page = (ROOT / "docs/live.md").read_text()
    shown = page.partition("$ hoptrace replay sample_pcaps/bundle\n")[2].partition("```")[0]

    assert _hoptrace("replay", str(SAMPLE)).stdout == shown


def test_json() -> None:
    """All of it; what is not known is left out."""
    told = json.loads(_hoptrace("replay", str(SAMPLE), "--json").stdout)

    assert told["schema"] == "hoptrace-replay/1"
    assert [one["agreement"] for one in told["journeys"]] == ["agrees"] * 3
    assert told["journeys"][0]["kernel"]["out"] == "wlan0"
    assert told["journeys"][0]["kernel"]["steps"][-1]["rule"].endswith("-j MASQUERADE")
    assert "why" not in told["journeys"][0]


@pytest.mark.parametrize("words", [("J99999",), ("J1", "x"), ("-o", "x.txt"), ("--fail-on", "agrees")])
def test_usage(words: tuple[str, ...]) -> None:
    """What there is not, is refused before anything is built."""
    assert _hoptrace("replay", str(SAMPLE), *words).exit_code == 2


def test_where_they_differ(tmp_path: Path) -> None:
    """Both accounts stand below each other, and --fail-on makes it count."""
    bundle = tmp_path / "bundle"
    shutil.copytree(SAMPLE, bundle)
    rules = (bundle / "host" / "iptables-save.txt").read_text()
    # A rule that hoptrace was not told of, because its copy of the dump is read before.
    trace = _trace(bundle)
    table = next(one for one in trace.hosts.states[0].tables if one.name == "filter")
    change = lambda host: host  # noqa: E731
    del table.chains["FORWARD"].rules[4]
    replay = trace.kernel._player.play([5], change)

    assert "-i docker0 ! -o docker0 -j ACCEPT" in rules
    assert replay.journeys[0].kernel is not None
    assert str(replay.journeys[0].kernel) == "dropped by policy DROP of ip filter FORWARD"


@pytest.mark.parametrize("parts", [1, 7])
def test_findings_are_confirmed(parts: int) -> None:
    """The kernel stops what the finding names, by the same rule; the remedy was tried in it, too."""
    with prepare([BUNDLES / "native-jump.bridge.tar.zst"]) as prepared:
        trace = analyze_whole(prepared, means=Means(parts=parts))
        trace.asks_kernel = True
        (finding,) = trace.findings

    assert finding.basis is Basis.CONFIRMED
    assert (
        finding.proof[-1]
        == "a kernel, asked in the rebuilt host: dropped by rule “inet fault guests: tcp dport 7 drop”"
    )
    assert finding.tried is not None
    assert "; in a kernel, it then leaves by wlan0 as 192.168.1.100:" in finding.tried


def test_a_kernel_that_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings are told all the same, and a line says why they are not confirmed."""

    def refused() -> tuple[str, ...]:
        raise ToolError(box.FORBIDDEN)

    monkeypatch.setattr(box, "unshared", refused)
    told = _hoptrace("analyze", str(BUNDLES / "native-jump.bridge.tar.zst"), "--replay", "-n", "0")
    replay = _hoptrace("replay", str(SAMPLE))

    assert told.exit_code == 0
    assert "(filtered-by-rule, stated)" in told.stdout
    assert told.stderr.splitlines()[-1] == f"hoptrace: --replay: {box.FORBIDDEN}"
    assert (replay.exit_code, replay.stderr.strip()) == (3, f"hoptrace: {box.FORBIDDEN}")


def test_a_script_that_rebuilds_it(tmp_path: Path) -> None:
    """It exits with 0 where the same comes out, and with 1 where a rule was changed."""
    path, other = tmp_path / "repro.sh", tmp_path / "other.sh"
    told = _hoptrace("replay", str(SAMPLE), "-o", str(path))
    text = path.read_text()
    other.write_text(text.replace("! -o docker0 -j ACCEPT", "! -o docker0 -j DROP"))
    same, changed = (subprocess.run(["sh", one], capture_output=True, text=True, check=False) for one in (path, other))

    assert told.exit_code == 0
    assert (same.returncode, changed.returncode) == (0, 1), same.stderr
    assert "J5 ICMP echo request seq 0: in by p1, out by p0\n" in same.stdout
    assert "out by nowhere, not by p0" in changed.stdout


@pytest.mark.parametrize(
    ("container", "command", "said"),
    [
        (None, "ip -br addr show docker0", "172.17.0.1/32"),
        (None, "ping -c1 -W2 192.168.1.1 || ip route", "192.168.1.1"),
        ("web", "ip -br addr show eth0", "172.17.0.3/16"),
    ],
)
def test_a_shell(container: str | None, command: str, said: str) -> None:
    """In the host or a container; its exit code is the shell's."""
    words = [sys.executable, "-m", "analyzer", "shell", str(SAMPLE), *(["-c", container] if container else [])]
    done = subprocess.run(words, input=f"{command}\nexit 7\n", capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.returncode == 7, done.stderr
    assert said in done.stdout
    assert "All of it vanishes with exit." in done.stderr


def test_a_shell_for_nobody() -> None:
    """A container that there is not is refused with those that there are."""
    told = _hoptrace("shell", str(SAMPLE), "-c", "lost")

    assert told.exit_code == 2
    assert "there are: c1, web" in told.stderr


def test_nothing_stays() -> None:
    """No process of the built host, no interface of this machine."""
    before = _interfaces()
    with prepare([SAMPLE]) as prepared:
        built = plan(prepared.hosts.states[0])
    with box.Box(built) as one:
        session = one._process.pid
        inside = _of_session(session)

    assert inside
    assert _of_session(session) == []
    assert _interfaces() == before


def _of_session(session: int) -> list[str]:
    """Return the processes of a session."""
    told = ((path.parent.name, _read(path).rpartition(b") ")[2].split()) for path in Path("/proc").glob("[0-9]*/stat"))
    return [name for name, fields in told if len(fields) > 3 and int(fields[3]) == session]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _interfaces() -> list[str]:
    return sorted(path.name for path in Path("/sys/class/net").iterdir())


HOSTILE = """*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -j DROP
-A FORWARD --modprobe={marker} -m nothing --such x
-A FORWARD -m bpf --object-pinned {marker}
-A FORWARD -m comment --comment "$(touch {marker}) `touch {marker}`; touch {marker}" -j DROP
COMMIT
*nat
-F
:PREROUTING ACCEPT [0:0]
COMMIT
"""


@pytest.mark.parametrize("kind", ["names", "rules", "settings"])
def test_hostile_bundles(tmp_path: Path, kind: str) -> None:
    """What a dump says runs no command and writes no file, here or in the script that is made of it."""
    marker, bundle = tmp_path / "marker", tmp_path / "bundle"
    shutil.copytree(SAMPLE, bundle)
    host = bundle / "host"
    if kind == "names":
        links = json.loads((host / "ip-addr.json").read_text())
        links[1]["ifname"], links[2]["ifname"] = f"$(touch {marker})", "-batch"
        (host / "ip-addr.json").write_text(json.dumps(links))
        routes = json.loads((host / "ip-route.json").read_text())
        routes[0] |= {"dev": f"x;touch {marker}", "table": f"`touch {marker}`"}
        (host / "ip-route.json").write_text(json.dumps(routes))
    elif kind == "rules":
        (host / "iptables-save.txt").write_text(HOSTILE.format(marker=marker))
        table = {"family": "inet", "name": f"'; touch {marker} #"}
        items = [{"table": table}, {"flush": {"ruleset": None}}, {"include": str(marker)}]
        (host / "nft-ruleset.json").write_text(json.dumps({"nftables": items}))
    else:
        (host / "sysctl.txt").write_text(
            f"kernel.core_pattern = |touch {marker}\nnet.ipv4.ip_forward = $(touch {marker})\n"
        )
    before = _read(Path("/proc/sys/kernel/core_pattern"))
    script = tmp_path / "repro.sh"
    told = _hoptrace("replay", str(bundle), "-o", str(script))
    subprocess.run(["sh", script], capture_output=True, check=False)

    assert told.exit_code == 0, told.stderr
    assert not marker.exists()
    assert _read(Path("/proc/sys/kernel/core_pattern")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_as_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any right: a user namespace is enough."""
    start = subprocess.Popen
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        inside = Path(folder) / "inside.py"
        inside.write_text(box.INSIDE.read_text())
        inside.chmod(0o644)
        monkeypatch.setattr(box, "INSIDE", inside)
        monkeypatch.setattr(box, "interpreter", lambda: "/usr/bin/python3")
        as_user = partial(start, user=NOBODY, group=NOBODY, extra_groups=[])
        monkeypatch.setattr(subprocess, "Popen", as_user)
        told = subprocess.run(["unshare", "--user", "--net", "id", "-u"], capture_output=True, text=True, check=False)
        if told.returncode != 0:
            pytest.skip("users have no namespaces here")
        replay = _replay(SAMPLE)

    assert replay.count(Agreement.AGREES) == len(replay.journeys) == 3

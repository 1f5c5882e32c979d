"""What the README shows is what the commands print; ``python -m tests.test_docs`` brings it up to date."""

import gzip
import os
import re
import subprocess
import sys
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.model import Severity
from analyzer.record.choose import ENGINES
from analyzer.record.dumps import FOR_PEOPLE, HOST, OPTIONAL, about_engine, containers_of, networks_of, version_of
from tests.lab.faults.cases import CASES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SHOWCASE = ROOT / "reports"
PICTURES = SHOWCASE / "pictures.txt"
"""Of which pages the pictures were taken: a name and a hash a line."""
SHOWN = {
    "incident": ("tests/faults/docker-user.bridge.tar.zst", "", (1280, 800), "light"),
    "connection": ("sample_pcaps/published-port", "#c0", (1280, 800), "light"),
    "lossy": ("tests/faults/lossy-internet.bridge.tar.zst", "#c1", (1280, 800), "light"),
    "dark": ("tests/faults/docker-user.bridge.tar.zst", "", (1280, 800), "dark"),
    "phone": ("tests/faults/docker-user.bridge.tar.zst", "", (360, 800), "light"),
}
"""By picture: what was analysed, what is chosen, the window, the colours."""
DATA = re.compile(r'(?<=id="data">)[^<]*')
BLOCK = re.compile(r"(```console\n\$ hoptrace (.*?)\n)(.*?)(```)", re.DOTALL)
HOSTS = re.compile(r"\| host \| containers named .*\n(\|.*\n)+")
TABLE = re.compile(r"\| file \| command \|\n(\|.*\n)+")
WIDTH = "160"


def _output(command: str) -> str:
    environment = {**os.environ, "COLUMNS": WIDTH, "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *command.split()],
        capture_output=True, text=True, cwd=ROOT, env=environment, check=True,
    )  # fmt: skip
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


@pytest.mark.parametrize("found", BLOCK.findall(README.read_text()), ids=lambda found: found[1])
def test_shown_output_is_real(found: tuple[str, str, str, str]) -> None:
    """Letter by letter."""
    assert found[2] == _output(found[1])


def test_shown_commands_and_options_exist() -> None:
    """Every hoptrace command and long option that the README names."""
    text = README.read_text()
    commands = set(re.findall(r"hoptrace (analyze|show|demo|[a-z]+)\b(?= [\w./-]|$| {2,})", text)) - {"is"}
    helps = {name: CliRunner().invoke(main, [name, "--help"]).output for name in main.commands}
    options = set(re.findall(r"(?<![\w-])--[a-z]+", BLOCK.sub("", TABLE.sub("", text))))

    assert commands <= set(main.commands)
    assert options <= set(re.findall(r"--[a-z]+", " ".join(helps.values())))


def dumps_table() -> str:
    """Return the table of what a bundle's host folder may hold, as the code has it."""
    rows = [f"| `{file}` | `{_shown(command)}` |" for file, command in (*HOST, *OPTIONAL, *FOR_PEOPLE)]
    for engine in (one.name for one in ENGINES):
        own = (version_of(engine), *about_engine(engine))
        rows += [f"| `{file}` | `{_shown(command)}` |" for file, command in own]
        listed = (one for one in (containers_of(engine), networks_of(engine)) if one is not None)
        rows += [f"| `{file}` | `{' '.join(command)} ...` |" for file, _, command in listed]
    return "\n".join(["| file | command |", "|---|---|", *rows]) + "\n"


KINDS = {
    "docker-28": "Docker 28, iptables (by hand)", "docker-29": "Docker 29, nftables (by hand)",
    "kubernetes": "a node: CNI's bridge, kube-proxy's rules", "podman": "Podman 5, netavark, nftables",
    "pasta": "pasta, the network of rootless Podman", "lxc": "LXC: lxc-net, nftables",
    "libvirt": "libvirt's default network, iptables", "incus": "incus, nftables, ufw",
    "firewalld": "firewalld, nftables", "docker-firewalld": "Docker 26 and firewalld",
    "docker-ufw": "Docker 26 and ufw", "swarm": "two nodes of a swarm, overlay networks",
    "drivers": "Docker's other drivers and modes", "tun": "the way out is a tunnel (tun)",
    "ipv6": "IPv6 alone: NAT66, and routed", "bridged": "a LAN's bridge, the uplink its port",
}  # fmt: skip


def hosts_table() -> str:
    """Return what is told of recordings of other kinds of hosts, as they are analysed."""
    rows = [
        "| host | containers named | NAT's rules named | healthy: errors | faults: told, of |",
        "|---|---|---|---|---|",
    ]
    for kind, name in KINDS.items():
        recorded = {path.name.split(".")[1]: path for path in (ROOT / "tests" / "hosts").glob(f"{kind}.*.tar.zst")}
        traces = {story: analyze([path]) for story, path in recorded.items()}
        healthy = traces.pop("healthy")
        others = [[one for one in trace.findings if one.severity is Severity.ERROR] for trace in traces.values()]
        errors = sum(one.severity is Severity.ERROR for one in healthy.findings)
        connections = map(healthy.connection, range(len(healthy.connections)))
        rules = [change.rule for connection in connections for change in connection.nat]
        named = "yes" if any(point.container for point in healthy.points) else "no"
        ruled = f"{sum(rule is not None for rule in rules)} of {len(rules)}" if rules else "no NAT"
        faults = [found for found in others if found]
        rows.append(f"| {name} | {named} | {ruled} | {errors} | {sum(len(f) == 1 for f in faults)}, {len(faults)} |")
    return "\n".join(rows) + "\n"


def _shown(command: tuple[str, ...]) -> str:
    if command[0] != "sh":
        return " ".join(command)
    if "/proc/sys/net" in command[2]:
        return f"{command[2].partition('/')[0].strip()} /proc/sys/net/..."
    asks = re.sub(r'^command -v \w+ >/dev/null \|\| exit 127; (for link .*?; do echo "== \$link"; )?', "", command[2])
    return asks.removesuffix(" 2>/dev/null; :").removesuffix("; done")


def test_the_table_of_dumps() -> None:
    """It is made from the code."""
    assert dumps_table() in README.read_text()


def test_the_table_of_hosts() -> None:
    """It is made of what is told of the recordings."""
    assert hosts_table() in README.read_text()


def test_figures_of_checks_and_faults() -> None:
    """As many as there are; that all are right, tests/explain/test_faults.py shows."""
    text = " ".join(README.read_text().split())
    kinds = [len({case.fault.name for case in CASES if bool(case.fault.expect) is faulty}) for faulty in (True, False)]

    assert f"lists {len(HYPOTHESES)} checks" in text
    assert f"has {len(CASES)} recordings of a real Docker Engine: {kinds[0]} kinds of faults and {kinds[1]} of" in text
    assert f"{len(CASES)} cases: precision 1.000, recall 1.000" in text


def test_named_files_are_there() -> None:
    """Every sample folder is described, and every described one exists."""
    samples = README.read_text().partition("## Samples")[2]
    described = set(re.findall(r"^\| `([a-z0-9-]+)` \|", samples, re.MULTILINE))

    assert described == {path.parent.name for path in ROOT.glob("sample_pcaps/*/README.md")}


def _unpacked(page: str) -> str:
    """Return a page with its data as it is before compression, which another zlib may do otherwise."""
    return DATA.sub(lambda found: gzip.decompress(b64decode(found[0])).decode(), page)


def test_the_showcase_is_what_the_demo_writes(tmp_path: Path) -> None:
    """The committed reports are current."""
    CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "seed.json"), "-o", str(tmp_path / "seed.html")])

    assert (SHOWCASE / "seed.json").read_text() == (tmp_path / "seed.json").read_text()
    assert _unpacked((SHOWCASE / "seed.html").read_text()) == _unpacked((tmp_path / "seed.html").read_text())


def _page(path: str, folder: Path) -> str:
    CliRunner().invoke(main, ["analyze", str(ROOT / path), "-n", "0", "-o", str(folder / "x.html")])
    return (folder / "x.html").read_text()


def _hashes(folder: Path) -> str:
    """Return a line a picture: its name, and the hash of its page."""
    lines = [
        f"{name} {sha256(_unpacked(_page(path, folder)).encode()).hexdigest()}" for name, (path, *_) in SHOWN.items()
    ]
    return "".join(f"{line}\n" for line in lines)


def test_the_pictures_are_of_the_pages(tmp_path: Path) -> None:
    """They were taken of the pages as they are; the README shows all of them, and no others."""
    shown = re.findall(r"!\[[^]]*\]\(reports/([^)]*)\.png\)", README.read_text())

    assert PICTURES.read_text() == _hashes(tmp_path)
    assert set(shown) == set(SHOWN) == {path.stem for path in SHOWCASE.glob("*.png")}


def _take_pictures() -> None:
    """Take the README's pictures."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, CHROMIUM

    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, (path, chosen, (width, height), scheme) in SHOWN.items():
            _page(path, Path(folder))
            window = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            window.goto(f"{(Path(folder) / 'x.html').as_uri()}{chosen}")
            window.wait_for_selector("html.ready")
            window.wait_for_timeout(100)
            window.screenshot(path=SHOWCASE / f"{name}.png")
        browser.close()
        PICTURES.write_text(_hashes(Path(folder)))


if __name__ == "__main__":
    text = TABLE.sub(lambda _: dumps_table(), HOSTS.sub(lambda _: hosts_table(), README.read_text()))
    README.write_text(BLOCK.sub(lambda m: m[1] + _output(m[2]) + m[4], text))
    CliRunner().invoke(main, ["demo", "-o", str(SHOWCASE / "seed.json"), "-o", str(SHOWCASE / "seed.html")])
    _take_pictures()

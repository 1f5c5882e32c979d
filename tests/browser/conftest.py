"""A browser for all tests of this folder, and pages made from the samples."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, sync_playwright

from analyzer.cli import main

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
FAULTS = Path(__file__).parents[1] / "faults"
CHROMIUM = shutil.which("chromium") or "chromium"
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
HOSTILE = "</script><img src=x onerror='window.owned=1'>\u202e\x1b[31m\" onmouseover=owned=1 {{ 7*7 }} @DATA@"

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what makes the report of a sample, once."""
    folder = tmp_path_factory.mktemp("reports")

    def report(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            inputs = _hostile(folder) if name == "hostile" else _inputs(name)
            result = CliRunner().invoke(main, ["analyze", *inputs, "-o", str(path), "-n", "0"])
            assert result.exit_code == 0, result.output
        return path

    return report


def _inputs(name: str) -> list[str]:
    if (fault := FAULTS / f"{name}.tar.zst").exists():
        return [str(fault)]
    hosts = sorted(path for path in (SAMPLES / name).glob("host[0-9]"))
    return [str(path) for path in hosts or [SAMPLES / name]]


def _hostile(folder: Path) -> list[str]:
    """The seed sample with a container, a point and a network that are called like an attack."""
    bundle = folder / "bundle"
    shutil.copytree(SAMPLES / "seed", bundle)
    for dump, key in (("docker-inspect.json", "Name"), ("docker-network-inspect.json", "Name")):
        found = json.loads((bundle / "host" / dump).read_text())
        for item in found:
            item[key] = f"/{HOSTILE}"
        (bundle / "host" / dump).write_text(json.dumps(found))
    rules = bundle / "host" / "iptables-save.txt"
    rules.write_text(rules.read_text().replace("-j MASQUERADE", f'-m comment --comment "{HOSTILE[:60]}" -j MASQUERADE'))
    point = HOSTILE.replace("=", "").replace(",", "")
    return [str(bundle), "--point", f"{point}={bundle / 'docker0.pcap'}"]


@pytest.fixture
def show(browser: Browser, reports: Callable[[str], Path]) -> Iterator[Open]:
    """Return what opens a sample's report; whatever the page complains of or asks the network for fails the test."""
    contexts = []
    complaints: list[str] = []

    def opened(name: str, hash_: str = "", **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        path = reports(name)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda r: None if r.url.split("#")[0] == path.as_uri() else complaints.append(r.url))
        page.goto(path.as_uri() + hash_)
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html.ready")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not [one for one in complaints if not one.startswith("data:")]

"""Every recording's page, and pages of very much, in Chromium."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from analyzer import Trace, analyze
from analyzer.model import Basis
from analyzer.model.overview import Edge, Node, NodeKind, Overview, Topology
from analyzer.model.words import plural
from analyzer.report.html import MOST_JOURNEYS
from analyzer.report.html import page as html_page
from tests.browser.conftest import FAULTS, SAMPLES

pytestmark = pytest.mark.browser
RECORDINGS = {path.name.removesuffix(".tar.zst"): [path] for path in sorted(FAULTS.glob("*.tar.zst"))} | {
    path.name: sorted(path.glob("host[0-9]")) or [path] for path in sorted(SAMPLES.iterdir())
}
FITS = """() => {
  const box = (place) => document.querySelector(place)?.getBoundingClientRect();
  const shown = (one) => one === undefined || (one.top >= 0 && one.bottom <= innerHeight + 1);
  const out = [...document.querySelectorAll("#app svg text")].filter((text) => {
    const [own, all] = [text.getBoundingClientRect(), text.closest("svg").getBoundingClientRect()];
    return own.width && (own.right > all.right + 1 || own.left < all.left - 1);
  });
  return {
    heading: shown(box("#answer")), broken: shown(box(".way-node.broken")), remedy: shown(box("#why .remedy h3")),
    wide: document.documentElement.scrollWidth, high: document.documentElement.scrollHeight,
    out: out.map((one) => one.textContent),
    journey: Number(document.querySelector(".ladder-row.current")?.dataset.j ?? -1),
    all: document.querySelector(".list-button span").textContent,
  };
}"""


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """One window for all pages."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    yield page
    page.close()


@pytest.mark.sweep
@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recording(name: str, window: Page, tmp_path: Path) -> None:
    """No error; heading, break and remedy on the first screen; evidence open; nothing overflows at three widths."""
    trace = analyze(RECORDINGS[name])
    content = trace.content(journeys=MOST_JOURNEYS, decisions=True)
    path = tmp_path / "page.html"
    path.write_text("".join(html_page(content, trace.overview(), trace.named)))
    complaints: list[str] = []
    window.once("pageerror", lambda error: complaints.append(str(error)))
    for width in (1280, 1024, 360):
        window.set_viewport_size({"width": width, "height": 800})
        if width == 1280:
            window.goto(path.as_uri())
            window.wait_for_selector("html.ready")
        window.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found = window.evaluate(FITS)
        assert found["wide"] <= width
        if width == 1280:
            assert found["high"] <= 800
            assert found["heading"]
            assert found["broken"]
            assert found["remedy"]
            assert found["all"].replace("\u2009", ",").endswith(f", {plural(trace.packets, 'journey')}")
            _opens_evidence(trace, found["journey"])
        if width > 720:
            assert not found["out"]
    assert not complaints
    if list(RECORDINGS).index(name) % 8 == 0:
        result = Axe().run(window)
        assert result.violations_count == 0, result.generate_report()


def _opens_evidence(trace: Trace, journey: int) -> None:
    """The journey that is open is evidence of the first finding, where that has any."""
    loud = [one for one in trace.findings if one.severity.value != "info"]
    evidence = {one.journey for one in loud[0].evidence if one.journey is not None} if loud else set()
    assert not evidence or journey in evidence


def _written(folder: Path, trace: Trace, overview: Overview | None = None, **changed: object) -> Path:
    path = folder / "many.html"
    content = replace(trace.content(decisions=True), **changed)  # type: ignore[arg-type]
    path.write_text("".join(html_page(content, overview or trace.overview(), ["many"])))
    return path


def test_only_rows_in_sight_are_in_the_document(window: Page, tmp_path: Path) -> None:
    """100,000 connections: the end is a scroll away, and the document stays small."""
    trace = analyze([SAMPLES / "seed"])
    one = list(trace.content().connections)[1]
    many = [replace(one, id=n) for n in range(100_000)]
    path = _written(tmp_path, trace, connections=many, connection_count=100_000)
    window.set_viewport_size({"width": 1280, "height": 800})
    window.goto(f"{path.as_uri()}#c1&tab=frames&table=connections")
    window.wait_for_selector("html.ready")
    window.evaluate("document.querySelector('.rows').scrollTop = 1e9")
    expect(window.locator(".data")).to_contain_text("C99999")

    assert window.locator(".data tbody tr").count() < 100
    assert window.locator("#list a.row").count() < 500


def test_thirty_containers_in_twelve_networks(window: Page, tmp_path: Path) -> None:
    """Grouped by network; what failed is open, named and first, the rest folded; nothing lies on anything else."""
    trace = analyze([FAULTS / "docker-user.bridge.tar.zst"])
    nodes = [Node(NodeKind.HOST, "host", Basis.INFERRED), Node(NodeKind.UPLINK, "wlan0", Basis.STATED, point="wlan0"),
             Node(NodeKind.GATEWAY, "192.168.1.1", Basis.STATED)]  # fmt: skip
    edges = [Edge(0, 1, 900, 90_000), Edge(1, 2, 900, 90_000)]
    for number in range(12):
        bridge = len(nodes)
        nodes.append(Node(NodeKind.BRIDGE, f"br-{number}", Basis.STATED, details=(f"network shop_{number}",)))
        edges.append(Edge(bridge, 0, 100 * number, 1000))
        for member in range(3 if number % 2 else 2):
            name = "c1" if number == 7 and member == 0 else f"shop-{number}-worker-{member}"
            nodes += [Node(NodeKind.CONTAINER, name, Basis.STATED, details=(f"172.{number + 20}.0.{member + 2}",)),
                      Node(NodeKind.INTERFACE, f"veth{number}x{member}", Basis.STATED)]  # fmt: skip
            edges += [Edge(len(nodes) - 2, len(nodes) - 1, 50, 500), Edge(len(nodes) - 1, bridge, 50, 500)]
    overview = replace(trace.overview(), topology=Topology(tuple(nodes), tuple(edges)))
    path = _written(tmp_path, trace, overview)
    window.set_viewport_size({"width": 1280, "height": 800})
    window.goto(f"{path.as_uri()}#i0&tab=topology")
    window.wait_for_selector("html.ready")
    groups = window.locator(".topology .group")
    boxes = [one.bounding_box() for one in groups.all()]

    assert groups.count() == 12
    assert "shop_7" in (groups.first.text_content() or "")
    assert "c1" in (groups.first.text_content() or "")
    assert [group.get_attribute("class") for group in groups.all()].count("group failed") == 1
    assert all(a and b and a["y"] + a["height"] <= b["y"] for a, b in pairwise(boxes))
    picture = window.locator(".topology").bounding_box()
    assert picture is not None
    assert picture["width"] <= 672
    groups.nth(3).locator('[role="button"]').click()
    assert "worker" in (window.locator(".topology .group").nth(3).text_content() or "")

"""Each view of the report, from real samples, as a reader uses it."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser
VIEWS = ("journeys", "connections", "plots", "arp", "fdb", "nat", "dns", "errors")


def _rows(page: Page) -> list[str]:
    return page.locator(".data tbody tr:not(.space)").all_text_contents()


def test_the_first_screen_is_the_answer(show: Open) -> None:
    """What is wrong, how journeys ended, and what the captures can tell."""
    page = show("icmp-errors")

    expect(page.locator("h1")).to_be_visible()
    assert page.locator(".verdict.rejected .number").inner_text() == "4"
    assert "one host, one clock" in page.locator(".quality").inner_text()


def test_the_topology_lights_the_chosen_way_and_marks_where_it_died(show: Open) -> None:
    """From the container to the uplink; the cross is at the uplink, which saw it last."""
    page = show("icmp-errors", "#j=3")
    lit = page.locator(".node.lit .name").all_text_contents()

    assert {"c1", "veth-c1", "docker0", "host", "wlan0"} <= set(lit)
    assert page.locator(".node.dead .name").all_text_contents() == ["wlan0"]
    assert page.locator(".edge.lit").count() == 4


def test_a_fault_is_the_headline_and_its_losses_lead_to_journeys(show: Open) -> None:
    """Who cannot do what stands first; the finding has rule, counter and remedy, and its link what was stopped."""
    page = show("docker-user.bridge")
    rule = "-A DOCKER-USER -p tcp -m tcp --dport 7 -j DROP"

    assert page.locator("h1").inner_text() == "c1 cannot reach 198.51.100.80:7 (TCP): rule 1 of DOCKER-USER drops it."
    finding = page.locator(".finding.error").inner_text()
    assert rule in finding
    assert "just the packets that are missing" in finding
    assert "Tried on the recorded state: TCP SYN is then accepted" in finding
    page.locator(".finding.error a").first.click()
    expect(page.locator("#detail-title")).to_contain_text("TCP SYN")
    page.locator(".losses a").first.click()
    expect(page.locator(".data tbody tr.opens")).to_have_count(3)
    assert [row.split("dropped")[0][:2] for row in _rows(page)] == ["J2", "J3", "J4"]


def test_the_overlay_is_two_hosts(show: Open) -> None:
    """One band a host, and a way between their uplinks."""
    page = show("overlay", "#j=6")

    assert page.locator(".band text").all_text_contents() == ["host1", "host2"]
    assert {"c1", "c2"} <= set(page.locator(".node.lit .name").all_text_contents())


def test_filters_and_selection_are_in_the_link(show: Open) -> None:
    """What is typed and chosen goes into the hash; the same link opens the same view."""
    page = show("published-port")
    page.locator("#search").fill("syn 100.64.0.2:36434")
    page.get_by_label("Filter by protocol").select_option("tcp")
    page.locator(".data tbody tr.opens").first.click()
    found, hash_ = _rows(page), page.evaluate("location.hash")
    again = show("published-port", hash_)

    assert len(found) == 2
    assert "q=syn" in hash_
    assert "protocol=tcp" in hash_
    assert re.search(r"j=\d+", hash_)
    assert _rows(again) == found
    assert again.locator("#detail-title").inner_text() == page.locator("#detail-title").inner_text()


def test_filter_by_verdict_container_and_translation(show: Open) -> None:
    """Each select narrows; a verdict's number on the first screen is a link to its journeys."""
    page = show("seed")
    rows = page.locator(".data tbody tr.opens")
    page.locator(".verdict.left-host a").click()
    expect(rows).to_have_count(10)
    page.get_by_label("Filter by translation").select_option("none")  # all that left was masqueraded
    expect(rows).to_have_count(0)
    page.get_by_role("button", name="Clear").click()

    expect(page.locator(".data tbody tr.opens")).to_have_count(23)


def test_columns_sort_both_ways(show: Open) -> None:
    """By time, by latency; the heading says which way."""
    page = show("seed")
    page.get_by_role("button", name="latency").click()
    up = page.locator(".data tbody tr:not(.space) td:nth-child(7)").all_inner_texts()
    page.get_by_role("button", name="latency").click()
    down = page.locator(".data tbody tr:not(.space) td:nth-child(7)").all_inner_texts()

    assert up[0] == "0 ns"
    assert "112 µs" in down[0]
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("latency")


def test_keys(show: Open) -> None:
    """j and k move, / filters, Enter goes to the journey, ? helps, a number chooses a view."""
    page = show("seed", "#j=3")
    page.keyboard.press("j")
    assert page.evaluate("location.hash") == "#j=4"
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert page.evaluate("location.hash") == "#j=2"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "detail-title"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.get_by_role("region", name="Connections", exact=True)).to_be_visible()


def test_the_ladder_keeps_a_translated_packet_one_line(show: Open) -> None:
    """Lifelines are points; the rewrite stands between them, the answer comes back."""
    page = show("seed", "#j=3")

    assert page.locator(".ladder .lane").all_text_contents() == ["veth-c3", "docker0", "wlan0"]
    assert page.locator(".ladder .rewrite").all_text_contents() == [
        "src 172.17.0.4 → 192.168.1.100",
        "dst 192.168.1.100 → 172.17.0.4",
    ]
    assert page.locator(".ladder text.arp").all_text_contents()[0] == "who has 172.17.0.1?"
    assert page.locator(".waterfall .bar").count() == 5


def test_the_hop_table_marks_changes_and_gives_display_filters(show: Open) -> None:
    """Wireshark's filter names the frame and its file."""
    page = show("seed", "#j=3")

    assert page.locator(".hops .changed b").all_inner_texts() == [
        "3c:22:fb:10:20:30", "00:1d:aa:01:02:03", "192.168.1.100", "63",
    ]  # fmt: skip
    assert page.locator(".hops code").all_inner_texts() == [
        "frame.number == 4",
        "frame.number == 3",
        "frame.number == 3",
    ]
    assert "wlan0.pcap" in page.locator(".filter").last.inner_text()
    assert "MASQUERADE" in page.locator(".evidence").inner_text()


def test_the_story_stays_open_from_journey_to_journey(show: Open) -> None:
    """A learner switches it on once."""
    page = show("seed", "#j=3")
    page.locator("#work .story summary").click()
    page.keyboard.press("j")
    page.locator("#work .story[open]").wait_for()

    assert "who has 192.168.1.1" in page.locator("#work .story").inner_text()


@pytest.mark.parametrize(
    ("sample", "view", "words"),
    [
        ("seed", "connections", "MASQUERADE"),
        ("seed", "arp", "02:42:e1:82:3c:19"),
        ("seed", "fdb", "docker0"),
        ("published-port", "nat", "192.168.1.100:8080"),
        ("icmp-errors", "errors", "port unreachable"),
        ("lossy", "plots", "Losses and retransmissions"),
    ],
)
def test_tables_and_plots(show: Open, sample: str, view: str, words: str) -> None:
    """Each has what the sample is about."""
    page = show(sample, f"#view={view}")

    expect(page.locator(".list")).to_contain_text(words)
    if view == "plots":
        assert page.locator(".plot canvas").count() == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sample", ["seed", "icmp-errors", "overlay", "docker-user.bridge"])
def test_accessible(show: Open, sample: str, scheme: str) -> None:
    """axe-core, WCAG 2.2 AA, finds nothing in any view."""
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    page = show(sample, color_scheme=scheme)
    page.emulate_media(reduced_motion="reduce")
    for view in VIEWS:
        page.evaluate("(view) => { location.hash = `#view=${view}&j=3`; }", view)
        page.locator(f"#work[data-view={view}]").wait_for()
        result = Axe().run(page, options=options)
        assert result.violations_count == 0, f"{view}: {result.generate_report()}"
        assert len(result.response["passes"]) > 20


@pytest.mark.parametrize("sample", ["seed", "docker-user.bridge"])
@pytest.mark.parametrize("width", [360, 768, 1440, 2560])
def test_nothing_sticks_out(show: Open, sample: str, width: int) -> None:
    """At any width only the boxes that scroll are scrolled, never the page."""
    page = show(sample, "#j=3", viewport={"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_readable_without_javascript(show: Open) -> None:
    """The answer, the findings, the picture, the first journeys and connections."""
    page = show("seed", java_script_enabled=False)
    text = page.locator("body").inner_text()

    assert "every one of 23 packets" in text
    assert "J3 ICMP echo request seq 1" in text
    assert "172.17.0.4 → 192.168.1.100" in text
    assert page.locator(".topology").is_visible()
    assert not page.locator("#work").is_visible()


def test_prints(show: Open) -> None:
    """On paper the static part takes the place of the tables."""
    page = show("seed")
    page.emulate_media(media="print")

    assert page.locator(".static").is_visible()
    assert not page.locator("#work").is_visible()
    assert len(page.pdf()) > 10_000


def test_hostile_names_are_inert(show: Open) -> None:
    """Names that are markup, escapes and bidirectional overrides, in every view and in the link."""
    page = show("hostile")
    for view in VIEWS:
        page.evaluate("(view) => { location.hash = `#view=${view}&j=3`; }", view)
        page.locator(f"#work[data-view={view}]").wait_for()
    page.evaluate(
        "location.hash = '#q=%3Cimg%20src%3Dx%20onerror%3Downed%3D1%3E&sort=__proto__&j=99999&view=constructor'"
    )
    page.locator("#search").hover()
    whole = page.content()

    assert page.evaluate("window.owned") is None
    assert page.locator("img").count() == 0
    assert "\u202e" not in whole
    assert "\x1b" not in whole
    assert "</script><img src=x" in page.locator(".node.container title").first.text_content()


def test_only_rows_in_sight_are_in_the_document(browser_page_of_many: Page) -> None:
    """100,000 connections: the end is a scroll away, and the document stays small."""
    page = browser_page_of_many
    rows = page.locator(".data tbody tr")
    page.evaluate("document.querySelector('.rows').scrollTop = 1e9")
    expect(page.locator(".data")).to_contain_text("C99999")

    assert rows.count() < 100


@pytest.fixture
def browser_page_of_many(tmp_path: Path, browser: object) -> Page:
    """A report with 100,000 connections, each like one of the seed's."""
    from dataclasses import replace

    from analyzer import analyze
    from analyzer.report.html import page as html_page

    trace = analyze([Path(__file__).parents[2] / "sample_pcaps" / "seed"])
    content = trace.content()
    one = list(content.connections)[1]
    many = replace(content, connections=[replace(one, id=n) for n in range(100_000)], connection_count=100_000)
    path = tmp_path / "many.html"
    path.write_text("".join(html_page(many, trace.overview(), ["many"])))
    page = browser.new_page()  # type: ignore[attr-defined]
    page.goto(f"{path.as_uri()}#view=connections")
    page.wait_for_selector("html.ready")
    return page

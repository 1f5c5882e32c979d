"""The report in Chromium, from real recordings, as a reader uses it."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser
RULE = "-A DOCKER-USER -p tcp -m tcp --dport 7 -j DROP"
HEADING = "c1 cannot reach 198.51.100.80:7 (TCP): rule 1 of DOCKER-USER drops it"
SEVERAL = "lossy-internet-and-vanishing-rule.bridge"
TABLES = ("journeys", "connections", "losses", "arp", "fdb", "nat", "dns", "errors")


def _lanes(page: Page) -> list[str]:
    return [one.get_attribute("data-node") or "" for one in page.locator(".way-node").all()]


def _hash(page: Page) -> str:
    return str(page.evaluate("location.hash"))


def test_an_incident_is_one_screen(show: Open) -> None:
    """Who cannot reach what and why; the way with its break; every stage; the remedy: without scrolling."""
    page = show("docker-user.bridge")

    assert page.title() == HEADING
    assert page.locator("h1").inner_text() == HEADING
    assert _lanes(page) == ["c1", "docker0", "FORWARD", "wlan0", "gateway", "198.51.100.80"]
    assert page.locator(".way-node.broken").text_content() is not None
    assert "DOCKER-USER" in (page.locator(".way-node.broken .at").first.text_content() or "")
    stages = page.locator(".trace > .stage .said b").all_text_contents()
    assert stages == ["bridge docker0", "conntrack", "nat PREROUTING", "routing", "filter FORWARD"]
    decided = page.locator(".stage.stopped").inner_text()
    assert RULE in decided
    assert "0 before, 3 after" in decided
    assert "whoever administers the host" in decided
    assert "is then accepted by" in page.locator("#why .block").first.inner_text()
    assert "-I DOCKER-USER -s 172.17.0.2" in page.locator(".remedy pre").inner_text()
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    for place in ("h1", ".way-node.broken", ".stage.stopped", ".remedy pre"):
        box = page.locator(place).first.bounding_box()
        assert box is not None
        assert 0 <= box["y"] < box["y"] + box["height"] <= 800, place


def test_the_incident_s_own_evidence_opens(show: Open) -> None:
    """Its first journey is chosen, its others stand on the same ladder, and one that got through beside them."""
    page = show("docker-user.bridge")

    assert page.locator(".ladder-row.current").get_attribute("data-j") == "2"
    rows = page.locator(".ladder-row .title").all_text_contents()
    assert rows[:2] == ["J0 ARP who has 172.17.0.1?", "J1 ARP 172.17.0.1 is at 02:42:67:b5:a1:f6"]
    assert rows[2:5] == ["J2 SYN", "J3 SYN again", "J4 SYN again"]
    assert "For comparison, C1" in page.locator(".ladder").text_content()  # type: ignore[operator]
    assert page.locator("#list .row.related").count() == 2  # its connection, and the journey that stands for it


def test_choosing_changes_the_address_and_back_works(show: Open) -> None:
    """A connection, one of its journeys, and back; the focus stays on what was clicked."""
    page = show("docker-user.bridge")
    page.locator('#list [data-name="c1"]').click()
    assert _hash(page) == "#c1"
    expect(page.locator("#why-title")).to_have_text("C1: c1 → 198.51.100.80:80")
    assert page.evaluate("document.activeElement.dataset.name") == "c1"
    page.locator('.ladder-row[data-j="8"]').click()
    assert _hash(page) == "#j8&of=c1"
    expect(page.locator("#why-title")).to_contain_text("J8 TCP SYN,ACK: delivered")
    page.go_back()
    assert _hash(page) == "#c1"
    page.go_back()
    expect(page.locator("#why-title")).to_have_text("Why: stopped at filter FORWARD")
    page.go_forward()
    expect(page.locator("#why-title")).to_have_text("C1: c1 → 198.51.100.80:80")


def test_a_link_opens_the_same(show: Open) -> None:
    """Selection, tab, filter and span of time."""
    page = show("published-port", "#j9&of=c0&f=tcp.len+%3E+100&t=0-20")

    assert page.locator("#filter").input_value() == "tcp.len > 100"
    expect(page.locator("#why-title")).to_contain_text("J9 TCP PSH,ACK")
    expect(page.locator(".filter .count")).to_have_text("6 of 54")
    assert page.locator("#time .span").count() == 1
    assert "C0" in page.locator("#list h2").last.inner_text()


def test_what_is_not_there_falls_back(show: Open) -> None:
    """The first incident opens, and a line says why."""
    page = show("docker-user.bridge", "#j99999&tab=constructor&t=x")

    assert page.locator("#gone").inner_text() == "j99999 is not in this page: the first one is shown."
    expect(page.locator("#why-title")).to_have_text("Why: stopped at filter FORWARD")


def test_a_connection_s_life(show: Open) -> None:
    """Handshake, data, what was sent again, windows, close; both tuples; the rule; where the time goes; bytes sent."""
    page = show("published-port", "#c0")
    life = page.locator(".life tbody tr").all_inner_texts()

    assert [re.split(r"\t", row)[1] for row in life] == ["Handshake", "Data", "Sent again", "Window", "Close"]
    assert "2\u2009100 B out, 2\u2009130 B back" in life[1]
    assert "FIN by client J15, FIN by server J16" in life[4]
    tuples = page.locator(".tuples code").all_inner_texts()
    assert tuples == ["100.64.0.2:36424", "192.168.1.100:8080", "172.17.0.2:80", "100.64.0.2:36424"]
    assert "--to-destination 172.17.0.2:80" in page.locator("#why code.line").first.inner_text()
    assert "inside web" in page.locator(".times").inner_text()
    assert page.locator(".plot .sent").count() == 2
    assert page.locator(".nat-badge text").all_text_contents() == ["DNAT", "DNAT undone"]


def test_what_was_sent_again_is_told_as_that(show: Open) -> None:
    """Dashed, with the word; what was lost is marked where it was seen last; silence and routine are folded."""
    page = show("lossy-internet.bridge", "#c1")
    titles = page.locator(".ladder .title.again").all_text_contents()

    assert titles[0] == "J32 PSH,ACK 700 bytes again"
    assert page.locator('.ladder [data-j="31"] .mark.warn').count() == 1
    assert page.locator(".ladder .zigzag").count() >= 4
    before = page.locator(".ladder-row").count()
    page.get_by_role("button", name=re.compile(r"Show J26 to")).click()
    assert page.locator(".ladder-row").count() > before
    assert page.locator(".resent").count() == 7


@pytest.mark.parametrize(
    ("sample", "hash_", "lanes"),
    [
        ("docker-proxy", "#c2", ["lo", "docker-proxy", "docker0", "web"]),
        ("overlay", "#c2", ["c1", "3 more", "wlan0", "vxlan0", "br0", "c2"]),
        ("self-hairpin", "#c0", ["web", "docker0"]),
        ("same-bridge", "#c0", ["c1", "docker0", "web"]),
        ("absent.bridge", "", ["c1", "docker0", "web", "172.17.0.99"]),
    ],
)
def test_ladders_that_are_no_straight_line(show: Open, sample: str, hash_: str, lanes: list[str]) -> None:
    """A relay is two legs, a hairpin turns back, a tunnel is a badge, an unanswered question ends in the open."""
    page = show(sample, hash_)

    assert _lanes(page) == lanes
    if sample == "docker-proxy":
        assert page.locator(".relay").count() > 4
    if sample == "overlay":
        assert page.locator('.ladder [data-j="22"] .nat-badge text').all_text_contents() == ["VXLAN 4097"]
    if sample == "self-hairpin":
        assert page.locator('.ladder [data-j="2"] .nat-badge text').all_text_contents() == ["DNAT", "MASQUERADE"]


def test_a_filter_narrows_everything(show: Open) -> None:
    """List, ladder, tables, topology; what is wrong is told with its place, and the last right one stays in force."""
    page = show("docker-user.bridge", "#i0&tab=frames")
    rows = page.locator(".data tbody tr.opens")
    expect(rows).to_have_count(11)
    page.locator("#filter").fill("tcp.flags.reset")
    expect(rows).to_have_count(1)
    page.locator("#filter").fill("tcp.flags.reset &&")
    expect(page.locator("#wrong")).to_have_text(
        "at character 19: ends too early; what was understood before still holds"
    )
    expect(rows).to_have_count(1)
    page.locator("#filter").fill("ip.addr == 172.17.0.0/16 && !(tcp.port == 80 or arp)")
    expect(rows).to_have_count(3)
    assert [row.split()[0] for row in rows.all_inner_texts()] == ["J2", "J3", "J4"]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(rows).to_have_count(11)
    assert page.locator("h1").inner_text() == HEADING


@pytest.mark.parametrize(
    "words",
    ["tcp", "udp || icmp", "ip.addr == 8.8.8.8", "tcp.port == 80", "tcp.flags.syn == 1 && tcp.flags.ack == 0",
     "tcp.len > 60", "!arp", "eth.addr == 02:42:ac:11:00:04", "frame.number <= 3", "point == wlan0", "container == c3",
     "connection == C1", "verdict == left-host", "tcp.port != 80", "ip.src == 172.17.0.0/24 && not icmp",
     "tcp.analysis.retransmission", "ipv6", "tcp.flags.fin == 0", "tcp.port in {80, 443}", "point contains WLAN",
     "container in {c3 c4}", "dns", "service == web", "http", "says contains http"],
)  # fmt: skip
def test_the_filter_s_language_is_that_of_the_command_line(show: Open, words: str) -> None:
    """As many journeys as ``-Y`` picks."""
    from analyzer import analyze
    from tests.browser.conftest import SAMPLES

    page = show("seed")
    page.locator("#filter").fill(words)

    expect(page.locator(".filter .count")).to_have_text(f"{len(analyze([SAMPLES / 'seed']).select(words))} of 23")


@pytest.mark.parametrize("words", ["dns", 'dns.qry.name contains "EXAMPLE"', "dns.qry.type == A", "!dns"])
def test_the_filter_finds_questions_to_name_servers(show: Open, words: str) -> None:
    """And their answers, as ``-Y`` does."""
    from analyzer import analyze
    from tests.browser.conftest import FAULTS

    path = FAULTS / "failing-resolver.bridge.tar.zst"
    page = show("failing-resolver.bridge")
    page.locator("#filter").fill(words)
    trace = analyze([path])

    expect(page.locator(".filter .count")).to_have_text(f"{len(trace.select(words))} of {trace.packets}")
    assert 0 < len(trace.select(words)) < trace.packets


def test_completions(show: Open) -> None:
    """Fields, then values, each with how many packets it would keep; chosen by keys."""
    page = show("seed")
    page.locator("#filter").press_sequentially("verd")
    expect(page.locator("#offers li").first).to_have_text("verdict23")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type(" == ")
    assert page.locator("#offers li").all_inner_texts() == ["delivered\n13", "left-host\n10"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#filter").input_value() == "verdict == delivered"
    expect(page.locator(".filter .count")).to_have_text("13 of 23")


def test_nodes_and_containers_filter(show: Open) -> None:
    """A click sets the test, one more takes it back; with Shift it is added."""
    page = show("docker-user.bridge")
    page.get_by_role("link", name="wlan0: only what passes here").click()
    assert page.locator("#filter").input_value() == "point == wlan0"
    page.get_by_role("link", name="c1: only what passes here").click(modifiers=["Shift"])
    assert page.locator("#filter").input_value() == "point == wlan0 && point == veth-c1"
    page.keyboard.press("2")
    page.get_by_role("link", name="wlan0: only what passes here").click(modifiers=["Shift"])
    assert page.locator("#filter").input_value() == "point == veth-c1"
    page.get_by_role("link", name="c1: only its packets").click()
    assert page.locator("#filter").input_value() == "container == c1"


def test_topology_names_what_failed_and_flows_tell_losses(show: Open) -> None:
    """The worst flow first."""
    page = show("docker-user.bridge", "#i0&tab=topology")

    assert page.locator(".topology .group.failed").count() == 1
    assert [one.text_content() for one in page.locator(".topology text.failed title").all()] == ["DOCKER-USER rule 1"]
    assert page.locator(".topology .group.failed text.failed").all_text_contents() == ["c1"]
    first = page.locator(".flows tbody tr").first.inner_text().split("\t")
    assert first[:4] == ["c1 → 198.51.100.80:7", "tcp", "3", "3"]


def test_a_span_of_time(show: Open) -> None:
    """Dragged on the bar, or moved by keys; a double click takes all again."""
    page = show("docker-user.bridge", "#i0&tab=frames")
    box = page.locator("#time svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 10)
    page.mouse.up()
    assert "t=" in _hash(page)
    expect(page.locator(".data tbody tr.opens")).to_have_count(6)
    page.locator("#time svg").press("Shift+ArrowLeft")
    assert page.evaluate("document.activeElement.closest('#time') !== null")
    page.locator("#time button").click()
    expect(page.locator(".data tbody tr.opens")).to_have_count(11)


def test_walking_a_packet(show: Open) -> None:
    """Hop by hop and stage by stage: way, ladder and trace light up together."""
    page = show("docker-user.bridge")
    page.keyboard.press("w")
    assert page.locator("#walk b").inner_text() == "1 of 8"
    assert page.locator(".way-node.walked .name").text_content() == "c1"
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert page.locator("#walk b").inner_text() == "7 of 8"
    assert "rule 1 of DOCKER-USER drops it" in page.locator("#walk").inner_text()
    assert page.locator(".way-node.walked .name").text_content() == "FORWARD"
    assert page.locator(".stage.walked.stopped").count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".walked").count() == 0


def test_what_is_copied(show: Open) -> None:
    """The remedy as it is typed; the incident in Markdown, in which nothing acts."""
    page = show("docker-user.bridge")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("c")
    expect(page.locator(".command .copy")).to_have_text("✓ Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator(".remedy pre").inner_text()
    page.keyboard.press("m")
    expect(page.locator("#markdown-button")).to_have_text("✓ Copied")
    told = page.evaluate("navigator.clipboard.readText()")
    assert told.startswith("### c1 cannot reach 198.51.100.80:7 (TCP): rule 1 of DOCKER-USER drops it\n")
    assert "Way: `c1 > docker0 > [filter hook FORWARD] x (wlan0) > gateway > 198.51.100.80`" in told
    assert f"```\n{RULE}\n```" in told
    assert "- docker0.pcap: `frame.number == 3`" in told


def test_keys(show: Open) -> None:
    """j and k move in the list, [ and ] between journeys, numbers choose the tab; single keys can be switched off."""
    page = show("docker-user.bridge")
    page.keyboard.press("j")
    assert _hash(page) == "#c0"
    page.keyboard.press("k")
    assert _hash(page) == "#i0"
    page.keyboard.press("]")
    assert _hash(page) == "#j3&of=i0"
    page.keyboard.press("[")
    assert _hash(page) == "#j2&of=i0"
    page.keyboard.press("3")
    expect(page.locator(".data")).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator(".ladder")).to_be_visible()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "filter"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.get_by_label("Single keys act").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    expect(page.locator(".ladder")).to_be_visible()


def test_several_causes_are_a_line_each(show: Open) -> None:
    """Worst first; a click opens the other one."""
    page = show(SEVERAL)

    assert "lost inside this host" in page.locator("h1").inner_text()
    assert "lost beyond wlan0" in page.locator(".heading .cause").inner_text()
    page.locator(".heading .cause a").click()
    assert _hash(page) == "#i1"


def test_a_healthy_host(show: Open) -> None:
    """What was shown to work, by name, and what the captures cannot tell."""
    page = show("seed")

    assert (
        page.locator("h1").inner_text() == "c3 reaches 8.8.8.8:80 (TCP), 8.8.8.8 (ICMP): all 23 packets went their way"
    )
    assert "c3 reaches 8.8.8.8:80" in page.locator("#why").inner_text()
    assert "one host, one clock" in page.locator("#why").inner_text()
    page.locator("#why a").first.click()
    assert _hash(page) == "#c1"


def test_counts_are_those_of_the_analysis(show: Open) -> None:
    """Journeys by verdict, and in all."""
    from analyzer import analyze
    from tests.browser.conftest import FAULTS

    trace = analyze([FAULTS / "docker-user.bridge.tar.zst"])
    page = show("docker-user.bridge")
    shown = {one.get_attribute("data-verdict"): int(re.sub(r"\D", "", one.inner_text()))
             for one in page.locator(".verdicts a").all()}  # fmt: skip

    assert shown == {str(kind): count for kind, count in trace.dispositions().items()}


@pytest.mark.parametrize(
    ("sample", "table", "words"),
    [
        ("seed", "connections", "MASQUERADE"), ("seed", "arp", "02:42:e1:82:3c:19"), ("seed", "fdb", "docker0"),
        ("published-port", "nat", "192.168.1.100:8080"), ("icmp-errors", "errors", "port unreachable"),
        ("docker-user.bridge", "losses", "filtered-by-rule"), ("silent-resolver.bridge", "dns", "unanswered"),
    ],
)  # fmt: skip
def test_tables(show: Open, sample: str, table: str, words: str) -> None:
    """Each has what the recording is about."""
    page = show(sample, f"#c0&tab=frames&table={table}")

    expect(page.locator(".data")).to_contain_text(words)


def test_columns_sort_both_ways(show: Open) -> None:
    """By latency; the heading says which way."""
    page = show("seed", "#c0&tab=frames")
    column = page.locator(".data tbody tr:not(.space) td:nth-child(7)")
    page.get_by_role("button", name="latency").click()
    up = column.all_inner_texts()
    page.get_by_role("button", name="latency").click()

    assert up[0] == "0 ns"
    assert "112 µs" in column.all_inner_texts()[0]
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("latency")


def test_the_hop_table_marks_changes_and_gives_display_filters(show: Open) -> None:
    """Wireshark's filter names the frame, and its file."""
    page = show("seed", "#j3")

    assert page.locator(".hops .changed").all_inner_texts() == [
        "192.168.1.100", "3c:22:fb:10:20:30", "00:1d:aa:01:02:03", "63",
    ]  # fmt: skip
    assert page.locator(".hops code").all_inner_texts() == [f"frame.number == {n}" for n in (4, 3, 3)]
    assert page.locator(".hops code").last.get_attribute("title") == "wlan0.pcap"
    assert "MASQUERADE" in page.locator(".steps").inner_text()


def test_the_story_stays_open_from_journey_to_journey(show: Open) -> None:
    """A learner switches it on once."""
    page = show("seed", "#j3")
    page.locator("#why .story summary").click()
    page.keyboard.press("]")
    page.locator("#why .story[open]").wait_for()

    assert "192.168.1.1" in page.locator("#why .story").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize(
    "sample", ["seed", "docker-user.bridge", "overlay", "lossy-internet-and-vanishing-rule.bridge"]
)
def test_accessible(show: Open, sample: str, width: int, scheme: str) -> None:
    """axe-core, WCAG 2.2 AA, finds nothing in any view."""
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    page = show(sample, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    for view in ("", "#c0", "#j2", "#c0&tab=topology", *(f"#c0&tab=frames&table={name}" for name in TABLES)):
        page.evaluate("(hash) => { location.hash = hash; }", view)
        page.wait_for_timeout(30)
        result = Axe().run(page, options=options)
        assert result.violations_count == 0, f"{view}: {result.generate_report()}"
        assert len(result.response["passes"]) > 20


@pytest.mark.parametrize("width", [1024, 360])
def test_the_list_opens_over_the_middle(show: Open, width: int) -> None:
    """On narrow windows it is behind a button, and closes when something was chosen."""
    page = show("docker-user.bridge", viewport={"width": width, "height": 800})
    row = page.locator('#list [data-name="c1"]')
    expect(row).not_to_be_visible()
    page.locator(".list-button").click()
    expect(row).to_be_visible()
    row.click()
    expect(row).not_to_be_visible()
    assert _hash(page) == "#c1"


def test_on_a_phone_the_ladder_is_a_list_of_steps(show: Open) -> None:
    """No picture that would have to be scrolled sideways."""
    page = show("docker-user.bridge", viewport={"width": 360, "height": 740})

    expect(page.locator(".ladder")).not_to_be_visible()
    assert "stopped: rule" in page.locator(".phone-steps").inner_text()


def test_readable_without_javascript(show: Open) -> None:
    """The heading, the findings, what the captures can tell, the first journeys and connections."""
    page = show("seed", java_script_enabled=False)
    text = page.locator("body").inner_text()

    assert "all 23 packets went their way" in text
    assert "J3 ICMP echo request seq 1" in text
    assert "172.17.0.4 → 192.168.1.100" in text
    assert not page.locator("#app").is_visible()


def test_prints_the_incident_on_one_sheet(show: Open) -> None:
    """Heading, way, ladder, hops, why and remedy, on A4; no list, no buttons."""
    page = show("docker-user.bridge")
    page.emulate_media(media="print")

    for place in ("h1", ".ladder", ".hops", ".trace", ".remedy pre"):
        assert page.locator(place).first.is_visible(), place
    for place in ("#list", "#time", ".filter", ".static"):
        assert not page.locator(place).first.is_visible(), place
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1


def test_prints_the_other_incidents_behind_it(show: Open) -> None:
    """With what they are and what helps; on the screen they are in the list alone."""
    page = show("docker-user-and-other-network-and-small-path.bridge")
    others = page.locator(".why .paper h3")
    assert others.count() == 2
    assert not others.first.is_visible()
    page.emulate_media(media="print")

    assert others.first.is_visible()
    assert "docker network connect appnet c1" in page.locator(".why .paper").inner_text()


def test_hostile_names_are_inert(show: Open) -> None:
    """Names that are markup, escapes and bidirectional overrides, in every view, in the link and in what is copied."""
    page = show("hostile")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for view in ("#c0", "#j3", "#c0&tab=topology", *(f"#c0&tab=frames&table={name}" for name in TABLES)):
        page.evaluate("(hash) => { location.hash = hash; }", view)
    page.evaluate(
        "location.hash = '#j99999&f=%3Cimg%20src%3Dx%20onerror%3Downed%3D1%3E&sort=__proto__&table=constructor'"
    )
    page.locator("#filter").hover()
    page.keyboard.press("m")
    whole = page.content() + str(page.evaluate("navigator.clipboard.readText()"))

    assert page.evaluate("window.owned") is None
    assert page.locator("img").count() == 0
    assert "\u202e" not in whole
    assert "\x1b" not in whole


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("tcp.port matches 80", "at character 10: matches is not known here"),
        ("verdict ~ drop", "at character 9: ~ is not known here"),
        ("verdict == nosuch", "at character 12: verdict cannot be nosuch"),
        ("ip.ttl", "at character 1: unknown field ip.ttl"),
        ("(" * 5000, "at character 101: too deep"),
    ],
    ids=lambda text: text[:12],
)
def test_what_the_filter_does_not_know_it_says(show: Open, words: str, told: str) -> None:
    """Nothing of Wireshark's language passes for a word that nothing has."""
    page = show("docker-user.bridge")
    page.locator("#filter").fill(words)

    expect(page.locator("#wrong")).to_contain_text(told)


@pytest.mark.parametrize(
    "word", ["constructor", "__proto__", "hasownproperty", "constructor == 1", "verdict == constructor"]
)
def test_words_that_every_object_has(show: Open, word: str) -> None:
    """They are words like others: found nowhere, or told."""
    page = show("docker-user.bridge", "#i0&tab=frames&table=constructor")
    assert page.locator(".data tbody tr.opens").count() == 11
    page.locator("#filter").fill(word)

    if "==" in word:
        expect(page.locator("#wrong")).to_be_visible()
    else:
        expect(page.locator(".data tbody tr.opens")).to_have_count(0)


def test_a_page_without_a_packet(show: Open) -> None:
    """Its tabs open, and its address is its own."""
    page = show("idle.bridge")
    page.keyboard.press("3")

    assert page.evaluate("location.hash") == "#tab=frames"
    assert page.locator("#gone").inner_text() == ""
    expect(page.locator(".tabs a[aria-current=page]")).to_have_text("Tables")


def test_the_focus_stays_where_it_was(show: Open) -> None:
    """On a tab, a table's head, a button beside the ladder: drawn anew, it has the focus again."""
    page = show("docker-user.bridge")
    for name in ("Tables", "Ladder", "Topology"):
        page.get_by_role("link", name=name, exact=True).focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == name
    group = page.get_by_role("button", name="bridge (docker0)")
    group.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"


def test_what_is_an_incident_s_is_marked_as_that(show: Open) -> None:
    """A connection of which every packet arrived, and the way that ends at the host itself; the bar counts losses."""
    page = show("output-rule.bridge")
    row = page.locator("#list a.row[data-name=c0]")
    assert row.locator("svg[role=img]").get_attribute("aria-label") == "error"
    assert page.locator(".way-node[data-node='this host']").count() == 1
    lossy = show("lossy-internet.bridge")

    assert "losses 10 in all" in lossy.locator("#time .legend").inner_text()

"""The page as a file: whole in itself, small, always the same; its parts in Chromium are in tests/browser."""

import gzip
import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.report.html import page
from analyzer.report.html.quality import quality
from tests.bench.generate import write_captures

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
FAULTS = Path(__file__).parents[1] / "faults"
DATA = re.compile(r'(<script type="application/octet-stream" id="data">)(.*?)(</script>)', re.DOTALL)


def _page(*paths: Path) -> str:
    trace = analyze(paths)
    return "".join(page(trace.content(), trace.overview(), trace.named))


def _data(text: str) -> dict[str, object]:
    found = DATA.search(text)
    assert found is not None
    read: dict[str, object] = json.loads(gzip.decompress(b64decode(found[2])))
    return read


def test_the_policy_allows_its_own_script_and_style_only() -> None:
    """Each inline script and style has its hash in the policy, nothing else is allowed, and no element has a style."""
    text = _page(SAMPLES / "seed")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    inline = re.findall(r"<style>(.*?)</style>|<script(?: type=\"module\")?>(.*?)</script>", text, re.DOTALL)

    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; script-src")
    for style, script in inline:
        assert b64encode(sha256((style or script).encode()).digest()).decode() in policy[1].replace("&#43;", "+")
    assert len(inline) == 2
    assert " style=" not in DATA.sub("", text)
    assert "unsafe" not in policy[1]


def test_nothing_is_fetched() -> None:
    """No address of anything outside the file, in markup or style."""
    text = DATA.sub("", _page(SAMPLES / "seed"))
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)

    assert not re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]*\"|url\((?!#|data:)|@import", markup)


def test_the_same_input_gives_the_same_page() -> None:
    """Byte for byte."""
    assert _page(SAMPLES / "published-port") == _page(SAMPLES / "published-port")


def test_the_heading_is_the_summary() -> None:
    """The same sentence in the title, the heading, the JSON and the terminal's first line."""
    trace = analyze([FAULTS / "docker-user.bridge.tar.zst"])
    text = "".join(page(trace.content(decisions=True), trace.overview(), trace.named))
    sentence = "c1 cannot reach 198.51.100.80:7 (TCP): rule 1 of DOCKER-USER drops it"
    told = CliRunner().invoke(main, ["analyze", str(FAULTS / "docker-user.bridge.tar.zst"), "--json"]).stdout

    assert f"<title>{sentence}</title>" in text
    assert f'<h1 id="answer">{sentence}</h1>' in text
    assert json.loads(told)["summary"] == sentence
    assert CliRunner().invoke(main, ["analyze", str(FAULTS / "docker-user.bridge.tar.zst")]).stdout.startswith(sentence)


def test_the_data_is_what_the_analysis_says() -> None:
    """Every journey, connection, exchange; times are relative to the start, which is a text."""
    trace = analyze([SAMPLES / "seed"])
    data = _data(_page(SAMPLES / "seed"))
    rows = data["rows"]

    assert isinstance(rows, dict)
    assert data["start"] == str(min(p.first_ns for p in trace.points if p.first_ns is not None))
    assert len(rows["journeys"]) == trace.packets
    assert len(rows["connections"]) == 2
    assert len(rows["arp"]) == len(trace.arp)


@pytest.mark.process
def test_ten_thousand_frames_are_less_than_a_megabyte(tmp_path: Path) -> None:
    """With every journey in it."""
    write_captures(tmp_path, 3_334)
    text = _page(tmp_path)
    rows = _data(text)["rows"]

    assert isinstance(rows, dict)
    assert len(text.encode()) <= 1_000_000
    assert len(rows["journeys"]) == 3_362


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    """A page that holds a part of the journeys tells the command that shows the others."""
    trace = analyze([SAMPLES / "published-port"])
    text = "".join(page(trace.content(journeys=10), trace.overview(), trace.named))

    assert "This page holds 10 of 54 journeys" in text
    assert "hoptrace show published-port J" in text


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.iterdir()))
def test_every_sample_has_a_page(sample: str, tmp_path: Path) -> None:
    """By the command, with a selection, too."""
    paths = [str(p) for p in sorted((SAMPLES / sample).glob("host[0-9]")) or [SAMPLES / sample]]
    done = CliRunner().invoke(main, ["analyze", *paths, "-Y", "tcp || icmp", "-o", str(tmp_path / "x.html")])

    assert done.exit_code == 0, done.output
    assert "</html>" in (tmp_path / "x.html").read_text()


def test_captures_without_frames_have_a_page(tmp_path: Path) -> None:
    """An empty capture says that nothing was seen."""
    empty = tmp_path / "wlan0.pcap"
    empty.write_bytes((SAMPLES / "seed" / "wlan0.pcap").read_bytes()[:24])

    assert "There is no packet in these captures" in _page(empty)


def test_quality_names_what_weakens_the_result(tmp_path: Path) -> None:
    """Cut frames, points that a dump names and nobody captured, silence."""
    trace = analyze([SAMPLES / "short-snaplens"])
    cut = {note.label: note for note in quality(trace.points, trace.overview().topology, ())}
    alone = analyze([SAMPLES / "seed" / "veth-c3.pcap"], host=SAMPLES / "seed" / "host")
    missing = {note.label: note for note in quality(alone.points, alone.overview().topology, ("x: damaged",))}

    assert "60 bytes" in cut["Snap length"].text
    assert not cut["Snap length"].good
    assert missing["Missing"].text == "nothing was captured at docker0, wlan0"
    assert missing["Dump left out"].text == "x: damaged"

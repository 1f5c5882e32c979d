"""The README's pictures: reports in a real Chromium; ``python -m tests.docs.pictures`` takes them anew."""

import gzip
import re
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from analyzer.cli import main
from tests.docs.made import ROOT

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


def unpacked(page: str) -> str:
    """Return a page with its data as it is before compression, which another zlib may do otherwise."""
    return DATA.sub(lambda found: gzip.decompress(b64decode(found[0])).decode(), page)


def _page(path: str, folder: Path) -> str:
    CliRunner().invoke(main, ["analyze", str(ROOT / path), "-n", "0", "-o", str(folder / "x.html")])
    return (folder / "x.html").read_text()


def hashes(folder: Path) -> str:
    """Return a line a picture: its name, and the hash of its page."""
    lines = [
        f"{name} {sha256(unpacked(_page(path, folder)).encode()).hexdigest()}" for name, (path, *_) in SHOWN.items()
    ]
    return "".join(f"{line}\n" for line in lines)


def take() -> None:
    """Write the showcase, and take the pictures."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, CHROMIUM

    CliRunner().invoke(main, ["demo", "-o", str(SHOWCASE / "seed.json"), "-o", str(SHOWCASE / "seed.html")])
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
        PICTURES.write_text(hashes(Path(folder)))


if __name__ == "__main__":
    take()

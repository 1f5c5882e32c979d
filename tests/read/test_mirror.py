"""What is copied of a bundle in an object store: here a folder, read by the same library."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from analyzer.errors import InputError
from analyzer.read import mirror as module
from analyzer.read import stored
from analyzer.read.inputs import is_capture_name
from analyzer.read.mirror import mirror

PLENTY = 1 << 20
FILES = {
    "wlan0.pcap": "packets",
    "veth.pcapng.gz": "packets",
    "manifest.json": "{}",
    "conntrack-events.txt": "events",
    "README.md": "read me",
    "host/ip-addr.json": "[]",
    "host/inside/web/ss.txt": "sockets",
    "host-before/nstat.txt": "counters",
    "other/x.txt": "x",
    "other/host": "a file of that name",
}


@pytest.fixture(autouse=True)
def _folders_are_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "SCHEMES", (*stored.SCHEMES, "file://"))


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A bundle in a store."""
    bundle = tmp_path / "store" / "trouble"
    for name, text in FILES.items():
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_text(text)
    return f"file://{bundle}"


def _mirrored(url: str, most: int = PLENTY) -> dict[str, str] | None:
    """Mirror it; return its files by name."""
    with ExitStack() as stack:
        folder = mirror(url, is_capture_name, stack, most)
        if folder is None:
            return None
        found = {str(one.relative_to(folder.parent)): one.read_text() for one in folder.rglob("*") if one.is_file()}
    assert not folder.exists()
    return found


@pytest.mark.parametrize("ending", ["", "/"])
def test_dumps_are_copied_and_captures_are_empty(url: str, ending: str) -> None:
    """Captures are read where they are; what is neither is left where it is. The folder is gone afterwards."""
    found = _mirrored(url + ending)

    dumps = ("manifest.json", "conntrack-events.txt", "host/ip-addr.json", "host/inside/web/ss.txt")
    copied = {f"trouble/{name}": FILES[name] for name in (*dumps, "host-before/nstat.txt")}
    assert found == copied | {"trouble/wlan0.pcap": "", "trouble/veth.pcapng.gz": ""}


def test_an_object_is_no_folder(url: str) -> None:
    """It is read as it is, whatever it holds; with a slash behind it it would be a folder."""
    assert _mirrored(f"{url}/manifest.json") is None


def test_dumps_have_a_limit_and_captures_do_not_count(url: str) -> None:
    """All dumps together may have so many bytes, and not one more."""
    size = sum(len(text) for name, text in FILES.items() if name.startswith(("host", "manifest", "conntrack")))

    assert _mirrored(url, size) is not None
    with pytest.raises(InputError, match="dumps are too large; --unpack-limit allows more"):
        _mirrored(url, size - 1)


def test_a_folder_of_too_many_objects_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there may be are not too many."""
    monkeypatch.setattr(module, "MOST_MEMBERS", len(FILES))
    assert _mirrored(url) is not None

    monkeypatch.setattr(module, "MOST_MEMBERS", len(FILES) - 1)
    with pytest.raises(InputError, match="more than 9 objects"):
        _mirrored(url)


def test_what_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    """Neither an object nor anything below it."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(InputError, match="there is no such object, and none below it"):
        _mirrored(f"file://{tmp_path}/empty/")

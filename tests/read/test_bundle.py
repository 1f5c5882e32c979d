"""Packed bundles: a folder goes in and comes out; what is no bundle, or means harm, does not."""

import io
import tarfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import zstandard

from analyzer.errors import InputError
from analyzer.read import bundle as module
from analyzer.read.bundle import unpack
from analyzer.record.pack import pack


def _tree(folder: Path) -> dict[str, bytes | None]:
    """Return everything below a folder, with what files hold."""
    return {
        str(one.relative_to(folder)): one.read_bytes() if one.is_file() else None for one in sorted(folder.rglob("*"))
    }


def _archive(path: Path, *members: tuple[str, bytes | None]) -> str:
    """Write a packed bundle of these members; those without bytes are links to /etc/passwd."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            if data is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data or b""))
    path.write_bytes(zstandard.compress(out.getvalue()))
    return str(path)


def test_a_folder_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """By the name that it was given, in a folder that is gone afterwards."""
    folder = tmp_path / "was"
    (folder / "host" / "deep").mkdir(parents=True)
    for name in ("b.pcap", "a.pcap", "host/links.json", "host/deep/x"):
        (folder / name).write_bytes(name.encode() * 100)
    pack(folder, "trouble", tmp_path / "x.tar.zst")
    with ExitStack() as stack:
        found = unpack(str(tmp_path / "x.tar.zst"), stack)
        name, above, tree = found.name, found.parent, _tree(found)
        temporary = above.parent.name

    assert (name, tree) == ("trouble", _tree(folder))
    assert temporary.startswith("hoptrace-")
    assert not above.parent.exists()


def test_what_is_in_a_packed_bundle(tmp_path: Path) -> None:
    """Members in order of their names, so that equal folders give equal files."""
    folder = tmp_path / "was"
    (folder / "host").mkdir(parents=True)
    for name in ("b.pcap", "a.pcap", "host/x"):
        (folder / name).write_bytes(name.encode())
    pack(folder, "trouble", tmp_path / "x.tar.zst")
    plain = zstandard.ZstdDecompressor().stream_reader((tmp_path / "x.tar.zst").read_bytes()).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        names = archive.getnames()

    assert names == ["trouble/a.pcap", "trouble/b.pcap", "trouble/host", "trouble/host/x"]


@pytest.mark.parametrize(
    ("names", "root"),
    [(["b/x", "b/y"], "b"), (["b/x", "c/y"], "bundle"), (["x", "y"], "bundle"), (["b/x", "y"], "b"), ([], "bundle")],
)
def test_where_the_bundle_is(tmp_path: Path, names: list[str], root: str) -> None:
    """In the one folder that is there; without one, or with several, all of it."""
    path = _archive(tmp_path / "x.tar.zst", *[(name, name.encode()) for name in names])
    with ExitStack() as stack:
        found = unpack(path, stack)
        prefix = f"{root}/" if root != "bundle" else ""
        missing = [name for name in names if name.startswith(prefix) and not (found / name[len(prefix) :]).is_file()]

        assert found.name == root
        assert missing == []


@pytest.mark.parametrize("bad", ["../out", "b/../../out", "/out", "b/.."])
def test_nothing_leaves_the_folder(tmp_path: Path, bad: str) -> None:
    """A member that would is left out, and the rest is there."""
    path = _archive(tmp_path / "x.tar.zst", ("b/x", b"x"), (bad, b"bad"), ("b/y", b"y"))
    with ExitStack() as stack:
        found = unpack(path, stack)

        assert _tree(found.parent.parent) == {"bundle": None, "bundle/b": None, "bundle/b/x": b"x", "bundle/b/y": b"y"}


def test_links_are_left_out(tmp_path: Path) -> None:
    """Whatever they point to."""
    path = _archive(tmp_path / "x.tar.zst", ("b/x", b"x"), ("b/link", None), ("b/y", b""))
    with ExitStack() as stack:
        assert _tree(unpack(path, stack)) == {"x": b"x", "y": b""}


def _expands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(module, "HARMLESS", 1000)
    monkeypatch.setattr(module, "MOST_EXPANSION", 1)
    return _archive(folder / "x.tar.zst", ("b/x", bytes(999)), ("b/y", bytes(2)))


def _many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(module, "MOST_MEMBERS", 3)
    return _archive(folder / "x.tar.zst", *[(f"b/{n}", b"") for n in range(4)])


@pytest.mark.parametrize("make", [_expands, _many])
def test_a_bundle_that_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path, pytest.MonkeyPatch], str]
) -> None:
    """Too many bytes or too many members end it."""
    path = make(tmp_path, monkeypatch)
    with ExitStack() as stack, pytest.raises(InputError) as error:
        unpack(path, stack)

    assert str(error.value) == f"{path}: expands too far to be a bundle"


@pytest.mark.parametrize("factor", [1, 0])
def test_as_much_as_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: int) -> None:
    """Members and bytes up to their limits; a large file may expand more than a small one."""
    path = _archive(tmp_path / "x.tar.zst", ("b/x", bytes(900)), ("b/y", bytes(100)), ("b/z", b""))
    size = Path(path).stat().st_size
    monkeypatch.setattr(module, "MOST_MEMBERS", 3)
    monkeypatch.setattr(module, "HARMLESS", 0 if factor else 1000)
    monkeypatch.setattr(module, "MOST_EXPANSION", factor * (1000 // size + 1))
    with ExitStack() as stack:
        assert sorted(_tree(unpack(path, stack))) == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"no bundle", "zstd decompress error"),
        (zstandard.compress(b"no tar" * 200), "invalid header"),
        (None, "No such file or directory"),
    ],
)
def test_what_is_no_bundle(tmp_path: Path, data: bytes | None, reason: str) -> None:
    """It is an error of the input, with its reason."""
    path = tmp_path / "x.tar.zst"
    if data is not None:
        path.write_bytes(data)
    with ExitStack() as stack, pytest.raises(InputError) as error:
        unpack(str(path), stack)

    assert str(error.value).startswith(f"{path}: cannot unpack: ")
    assert reason in str(error.value)

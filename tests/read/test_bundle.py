"""Packed bundles: a folder goes in and comes out; what is no bundle, or means harm, does not."""

import io
import tarfile
from contextlib import ExitStack
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from analyzer.errors import InputError
from analyzer.read import bundle as module
from analyzer.read.bundle import unpack
from analyzer.read.zstandard import zstd
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
    path.write_bytes(zstd.compress(out.getvalue()))
    return str(path)


def test_a_folder_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """By the name that it was given, in a folder that is gone afterwards."""
    folder = tmp_path / "was"
    (folder / "host" / "deep").mkdir(parents=True)
    for name in ("b.pcap", "a.pcap", "host/links.json", "host/deep/x"):
        (folder / name).write_bytes(name.encode() * 100)
    pack(folder, "trouble", tmp_path / "x.tar.zst")
    with ExitStack() as stack:
        found, _ = unpack(str(tmp_path / "x.tar.zst"), stack)
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
    plain = zstd.decompress((tmp_path / "x.tar.zst").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        names = archive.getnames()

    assert names == ["trouble/a.pcap", "trouble/b.pcap", "trouble/host", "trouble/host/x"]


@pytest.mark.parametrize(
    ("names", "root"),
    [
        (["host/x", "y.pcap"], "bundle"),
        (["host/x", "host-before/x"], "bundle"),
        (["b/x", "b/y"], "b"),
        (["b/x", "c/y"], "bundle"),
        (["x", "y"], "bundle"),
        (["b/x", "y"], "b"),
        ([], "bundle"),
    ],
)
def test_where_the_bundle_is(tmp_path: Path, names: list[str], root: str) -> None:
    """In the one folder that is there; without one, or with several, all of it."""
    path = _archive(tmp_path / "x.tar.zst", *[(name, name.encode()) for name in names])
    with ExitStack() as stack:
        found, _ = unpack(path, stack)
        prefix = f"{root}/" if root != "bundle" else ""
        missing = [name for name in names if name.startswith(prefix) and not (found / name[len(prefix) :]).is_file()]

        assert found.name == root
        assert missing == []


@pytest.mark.parametrize("bad", ["../out", "b/../../out", "/out", "//out", "///out", "b/..", "//{}/out", "/{}/out"])
def test_nothing_leaves_the_folder(tmp_path: Path, bad: str) -> None:
    """A member that would is left out, and the rest is there."""
    bad = bad.format(str(tmp_path).strip("/"))
    path = _archive(tmp_path / "x.tar.zst", ("b/x", b"x"), (bad, b"bad"), ("b/y", b"y"))
    with ExitStack() as stack:
        found, _ = unpack(path, stack)

        assert _tree(found.parent.parent) == {
            ".lock": b"",
            "bundle": None,
            "bundle/b": None,
            "bundle/b/x": b"x",
            "bundle/b/y": b"y",
        }


def test_links_are_left_out(tmp_path: Path) -> None:
    """Whatever they point to."""
    path = _archive(tmp_path / "x.tar.zst", ("b/x", b"x"), ("b/link", None), ("b/y", b""))
    with ExitStack() as stack:
        assert _tree(unpack(path, stack)[0]) == {"x": b"x", "y": b""}


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They end it."""
    monkeypatch.setattr(module, "MOST_MEMBERS", 3)
    for count in (3, 4):
        path = _archive(tmp_path / f"{count}.tar.zst", *[(f"b/{n}", b"") for n in range(count)])
        with ExitStack() as stack:
            if count == 3:
                assert sorted(_tree(unpack(path, stack)[0])) == ["0", "1", "2"]
            else:
                with pytest.raises(InputError, match=r"more than 3 files$"):
                    unpack(path, stack)


@pytest.mark.parametrize(("harmless", "allowed"), [(3072, True), (3071, False)])
def test_how_far_it_may_expand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harmless: int, allowed: bool) -> None:
    """The stream itself counts, whatever its headers declare; a small one may expand far."""
    path = _archive(tmp_path / "x.tar.zst", ("b/x", bytes(900)), ("b/y", bytes(2)))
    monkeypatch.setattr(module, "HARMLESS", harmless)
    monkeypatch.setattr(module, "MOST_EXPANSION", 1)
    with ExitStack() as stack:
        if allowed:
            assert sorted(_tree(unpack(path, stack)[0])) == ["x", "y"]
        else:
            with pytest.raises(InputError, match=r"expands more than 1-fold, which no bundle does$"):
                unpack(path, stack)


@pytest.mark.parametrize(("free", "most"), [(1 << 40, 5000), (module.RESERVE + 5000, 1 << 40), (0, 1 << 40)])
def test_how_much_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, most: int) -> None:
    """As somebody says, and as the disk has room."""
    path = _archive(tmp_path / "x.tar.zst", ("b/x", bytes(9000)))
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with ExitStack() as stack, pytest.raises(InputError, match=r"--unpack-limit, and room for temporary files, allow"):
        unpack(path, stack, most)


def test_an_archive_that_is_cut(tmp_path: Path) -> None:
    """What came before is there, and the cut is told."""
    packed = tmp_path / "x.tar.zst"
    random = Random(1)
    _archive(packed, ("b/x", random.randbytes(500_000)), ("b/y", random.randbytes(500_000)))
    packed.write_bytes(packed.read_bytes()[:700_000])
    with ExitStack() as stack:
        found, damage = unpack(str(packed), stack)
        sizes = {name: len(data or b"") for name, data in _tree(found).items()}

    assert sizes["x"] == 500_000
    assert 0 < sizes["y"] < 500_000
    assert str(damage).startswith(f"{packed}: cannot unpack all of it: Compressed file ended before ")


@pytest.mark.parametrize(
    "name", ["b/x/z", "b/" + "n" * 256, "b/" + "d/" * 3000 + "x", ".", "b", "b/n\0ul"], ids=lambda name: name[:9]
)
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    """They are left out, and the rest is there."""
    path = _archive(tmp_path / "x.tar.zst", ("b/x", b"x"), (name, b"bad"), ("b/y", b"y"))
    with ExitStack() as stack:
        found = _tree(unpack(path, stack)[0])

    assert {"x": b"x", "y": b"y"}.items() <= found.items()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"no bundle", "not packed by zstd"),
        (zstd.compress(b"no tar" * 200), "no tar header"),
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

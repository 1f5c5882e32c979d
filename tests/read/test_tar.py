"""Tar archives: what Python's and GNU's tar write is read, and what means harm ends with a line."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from analyzer.read.tar import MOST_HEADER, TarError, members

LONG = "b/" + "d/" * 80 + "x" * 90


def _read(data: bytes) -> dict[str, bytes | None]:
    """Return all members with what files hold."""
    return {
        member.name: None if member.is_folder else b"".join(member.content) for member in members(io.BytesIO(data).read)
    }


def _archive(*files: tuple[str, bytes], format: int = tarfile.PAX_FORMAT, **changes: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            for field, value in changes.items():
                setattr(member, field, value)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


SHORT = ("a", "b/c", "b/" + "n" * 96, "ü.pcap")
FORMATS = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(
    ("format", "name"),
    [*((format, name) for format in FORMATS for name in SHORT), *((format, LONG) for format in FORMATS[:2])],
)
def test_what_python_writes(format: int, name: str) -> None:
    """In every format; ustar cannot have the longest name."""
    files = ((name, b"x" * 1000), ("last", b""))

    assert _read(_archive(*files, format=format, mtime=5.5)) == dict(files)


@pytest.mark.tools
@pytest.mark.parametrize("format", ["gnu", "posix", "ustar", "v7", "oldgnu"])
def test_what_gnu_tar_writes(tmp_path: Path, format: str) -> None:
    """Folders, files and long names."""
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / "b" / "one").write_bytes(b"1" * 700)
    (tmp_path / "b" / "deep" / ("n" * (90 if format == "v7" else 120))).write_bytes(b"2")
    done = subprocess.run(
        ["tar", "-C", tmp_path, f"--format={format}", "--sort=name", "-cf", "-", "b"], capture_output=True, check=False
    )
    found = _read(done.stdout)

    assert found["b/one"] == b"1" * 700
    assert [data for name, data in found.items() if name.startswith("b/deep/n")] == [b"2"] * (format != "ustar")
    assert {name for name, data in found.items() if data is None} == {"b/", "b/deep/"}


def test_what_nobody_reads_is_passed_over() -> None:
    """The next member is found all the same; links and devices are none."""
    data = _archive(("a", b"x" * 2000), ("b", b"y"))
    linked = _archive(("link", b""), type=tarfile.SYMTYPE, linkname="/etc/passwd")[:512]

    assert [member.name for member in members(io.BytesIO(linked + data).read)] == ["a", "b"]


def test_archives_without_an_end() -> None:
    """Only what is missing in a member is damage."""
    data = _archive(("a", b"x" * 600))

    assert _read(data[: 512 + 1024]) == {"a": b"x" * 600}
    assert _read(b"") == {}
    with pytest.raises(TarError, match="cut: 500 bytes of a member are missing"):
        _read(data[: 512 + 100])
    with pytest.raises(TarError, match="cut in a header"):
        _read(data[:100])
    with pytest.raises(TarError, match="cut in a padding"):
        _read(data[: 512 + 700])


def _pax(body: bytes) -> bytes:
    """Return an extended header, and a member that it is of."""
    return _archive(("x", body), type=tarfile.XHDTYPE)[: 512 + (len(body) + 511) // 512 * 512] + _archive(("q", b"12"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no tar" * 200, "no tar header: a number is none"),
        (bytes(511) + b"x", "no tar header: its checksum is wrong"),
        (_pax(b"rubbish"), "a pax record that is none"),
        (_pax(b"13 size=-512\n"), "a size that is none"),
        (_pax(b"13 size=abcd\n"), "a size that is none"),
        (_pax(b"99 path=a\n"), "a pax record that is none"),
        (_pax(b"0 path=a\n"), "a pax record that is none"),
    ],
)
def test_what_is_no_archive(data: bytes, reason: str) -> None:
    """It is told why."""
    with pytest.raises(TarError, match=reason):
        _read(data)


def test_what_pax_records_say() -> None:
    """Another name and size than the header's; what nobody needs is passed over."""
    assert _read(_pax(b"12 path=new\n21 mtime=inf\n1 some\n"[:12] + b"13 mtime=inf\n")) == {"new": b"12"}
    assert _read(_pax(b"9 size=1\n")) == {"q": b"1"}


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_names_that_would_fill_the_memory(kind: bytes) -> None:
    """They are not even read."""
    head = tarfile.TarInfo("././@LongLink")
    head.size, head.type = MOST_HEADER + 1, kind

    with pytest.raises(TarError, match=f"a name of {MOST_HEADER + 1} bytes"):
        _read(head.tobuf(tarfile.GNU_FORMAT))

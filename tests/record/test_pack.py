"""A recorded folder as one file: all of it, and an error where what was written is something else."""

import tarfile
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.read.zstandard import zstd
from analyzer.record import pack as module
from analyzer.record.pack import pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording: files, one of them empty, folders, and a link."""
    (inside := tmp_path / "recorded" / "host" / "inside").mkdir(parents=True)
    (tmp_path / "recorded" / "wlan0.pcap").write_bytes(bytes(range(256)) * 9_000)
    (tmp_path / "recorded" / "lo.pcap").write_bytes(b"")
    (inside / "ss.txt").write_text("sockets")
    (tmp_path / "recorded" / "link").symlink_to("/etc/passwd")
    return tmp_path / "recorded"


def _unpacked(path: Path, target: Path) -> dict[str, bytes | None]:
    with (
        path.open("rb") as file,
        zstd.open(file) as source,
        tarfile.open(fileobj=source, mode="r|") as archive,
    ):
        archive.extractall(target, filter="data")
    return {str(one.relative_to(target)): one.read_bytes() if one.is_file() else None for one in target.rglob("*")}


def test_all_but_links_is_packed_under_the_name(folder: Path, tmp_path: Path) -> None:
    """Folders, empty files and long ones, byte by byte; what a link leads to is nobody's business."""
    pack(folder, "trouble", tmp_path / "x.tar.zst")

    assert _unpacked(tmp_path / "x.tar.zst", tmp_path / "out") == {
        "trouble": None, "trouble/host": None, "trouble/host/inside": None,
        "trouble/host/inside/ss.txt": b"sockets", "trouble/lo.pcap": b"",
        "trouble/wlan0.pcap": bytes(range(256)) * 9_000,
    }  # fmt: skip


def _later(monkeypatch: pytest.MonkeyPatch, change: str, folder: Path) -> None:
    """Let something happen to the folder between packing and reading again."""
    real = module._same

    def same(archive: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> bool:
        path = folder / "wlan0.pcap"
        data = path.read_bytes()
        path.write_bytes({"longer": data + b"x", "shorter": data[:-1], "other": data[:-1] + b"x"}[change])
        return real(archive, member, file)

    monkeypatch.setattr(module, "_same", same)


@pytest.mark.parametrize("change", ["longer", "shorter", "other"])
def test_what_was_packed_is_compared_to_the_last_byte(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """One byte more, one less, or another one: the file is named."""
    _later(monkeypatch, change, folder)

    with pytest.raises(OutputError, match=r"trouble/wlan0\.pcap is not as it was recorded"):
        pack(folder, "trouble", tmp_path / "x.tar.zst")


def test_a_file_that_cannot_be_written_says_why(folder: Path, tmp_path: Path) -> None:
    """A folder that is not there, or a device that is full."""
    with pytest.raises(OutputError, match="cannot be packed: No such file or directory"):
        pack(folder, "trouble", tmp_path / "nowhere" / "x.tar.zst")
    with pytest.raises(OutputError, match="cannot be packed: No space left on device"):
        pack(folder, "trouble", Path("/dev/full"))


def test_what_is_missing_in_the_file_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that did not get into the archive."""
    add = tarfile.TarFile.add

    def without(self: tarfile.TarFile, name: Path, inside: str, *, recursive: bool) -> None:
        if name.name != "lo.pcap":
            add(self, name, inside, recursive)

    monkeypatch.setattr(tarfile.TarFile, "add", without)
    with pytest.raises(OutputError, match=r"trouble/lo\.pcap is not in it"):
        pack(folder, "trouble", tmp_path / "x.tar.zst")

"""Captures and bundles in object stores: told as those on this machine are, by a real S3 server on loopback."""

import gzip
import json
import shutil
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from click.testing import CliRunner

from analyzer.cli import main
from analyzer.decode import extents
from analyzer.errors import InputError
from analyzer.read import mirror, work
from analyzer.read.file import CaptureFile
from analyzer.read.inputs import is_capture_name
from analyzer.read.stored import AT_A_TIME, names_below, open_stored, read_at, size_of, takes_ranges
from analyzer.read.written import new_path
from analyzer.read.zstandard import zstd
from analyzer.run import whole as whole_module
from analyzer.run.budget import Budget
from tests.read.objects import BUCKET, Store

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"


def _told(*args: str, code: int = 0) -> str:
    ran = CliRunner().invoke(main, ["analyze", *args], env={"COLUMNS": "100"})
    assert ran.exit_code == code, ran.output
    return ran.stdout


@pytest.mark.parametrize("name", ["bundle", "seed", "user-network"])
def test_a_bundle(store: Store, name: str) -> None:
    """With its dumps and manifest, in whatever way it is named."""
    here = SAMPLES / name
    url = store.put(here, f"some of them/{name}")
    assert _told(url, "--json") == _told(str(here), "--json")
    assert _told(f"{url}/", "--explain") == _told(str(here), "--explain")


def test_parts_and_several_processes(store: Store) -> None:
    """Workers read for themselves."""
    url = store.put(SAMPLES / "seed", "seed")
    assert _told(url, "--json", "--jobs", "2", "--parts", "3") == _told(str(SAMPLES / "seed"), "--json")


@pytest.mark.parametrize("engine", [(), ("--jobs", "2"), ("--jobs", "2", "--scheduler", "local")],
                         ids=["one", "jobs", "dask"])  # fmt: skip
@pytest.mark.parametrize("name", ["overlay", "user-network"])
def test_a_work_directory(store: Store, name: str, engine: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """All tables are exchanged there, with clocks that have to be corrected as well; nothing is left."""
    path = str(SAMPLES / name)
    whole = _told(path)
    monkeypatch.setattr(whole_module, "EACH", 2)
    if not engine:
        monkeypatch.setattr(Budget, "frames", 10)

    kept: list[str] = []
    monkeypatch.setattr(work, "new_path", lambda folder: kept.append(new_path(folder)) or kept[-1])

    assert _told(path, *engine, "--work-dir", f"{BUCKET}/work") == whole
    assert all(one.startswith(f"{BUCKET}/work/hoptrace-") for one in kept)
    assert engine or len(kept) > 10
    assert "Contents" not in store.client.list_objects_v2(Bucket="captures", Prefix="work/")


def test_a_work_directory_that_cannot_be_written(store: Store) -> None:
    """It is told before anything is read."""
    ran = CliRunner().invoke(main, ["analyze", str(SAMPLES / "seed"), "--jobs", "2", "--work-dir", "s3://none/work"])

    assert (ran.exit_code, ran.stdout) == (5, "")
    assert "hoptrace: s3://none/work: the work directory cannot be used: " in ran.stderr


def test_several_bundles(store: Store, tmp_path: Path) -> None:
    """A folder of bundles, each of which is a host."""
    for name in ("one", "two"):
        shutil.copytree(SAMPLES / "bundle", tmp_path / name)
    url = store.put(tmp_path, "several")
    here = json.loads(_told(str(tmp_path), "--json"))
    there = json.loads(_told(url, "--json"))
    assert there.pop("inputs", None) in (None, ["several"])
    here.pop("inputs", None)
    assert there == here
    assert {point["host"] for point in there["points"]} == {"one", "two"}


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_capture(store: Store, tmp_path: Path, ending: str) -> None:
    """It is read from its beginning."""
    capture = tmp_path / "veth-c1.pcap"
    shutil.copy(next((SAMPLES / "seed").glob("veth*.pcap")), capture)
    packed = tmp_path / f"veth-c1.pcap{ending}"
    packed.write_bytes((gzip.compress if ending == ".gz" else zstd.compress)(capture.read_bytes()))
    url = store.put(packed, f"x/{packed.name}")
    assert _told(url, "--json") == _told(str(packed), "--json")


def test_a_packed_bundle(store: Store, tmp_path: Path) -> None:
    """It is unpacked as it comes in."""
    packed = tmp_path / "trouble.tar.zst"
    with zstd.open(packed, "wb") as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        tar.add(SAMPLES / "bundle", "bundle")
    url = store.put(packed, "trouble.tar.zst")
    assert _told(url, "--json") == _told(str(packed), "--json")


def test_a_web_server(store: Store, server: str) -> None:
    """Captures are read from there, too; and ``--point`` takes URLs."""
    file = next((SAMPLES / "seed").glob("veth*.pcap"))
    store.put(file, f"open/{file.name}")
    store.client.put_object_acl(Bucket="captures", Key=f"open/{file.name}", ACL="public-read")
    url = f"{server}/captures/open/{file.name}"
    assert _told(url, "--json") == _told(str(file), "--json")
    assert _told("--point", f"mine={url}", "--json") == _told("--point", f"mine={file}", "--json")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a web server that knows no ranges; return its address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    handler = partial(SimpleHTTPRequestHandler, directory=str(SAMPLES))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_web_server_without_ranges(plain: str, tmp_path: Path) -> None:
    """What it has is copied first."""
    file = next((SAMPLES / "seed").glob("veth*.pcap"))
    url = f"{plain}/seed/{file.name}"
    assert not takes_ranges(url)
    assert _told(url, "--json") == _told(str(file), "--json")
    ran = CliRunner().invoke(main, ["analyze", f"{plain}/none.pcap"])
    assert ran.stderr.endswith("none.pcap: there is no such object, and a web server does not list what is below it\n")


def test_names_are_encoded_once(plain: str, tmp_path: Path) -> None:
    """As they stand in a browser's line."""
    file = next((SAMPLES / "seed").glob("veth*.pcap"))
    assert "8.8.8.8" in _told(f"{plain}/seed/{file.name.replace('-', '%2D')}")


def test_a_bundle_with_a_wrong_manifest(store: Store, tmp_path: Path) -> None:
    """What is said of it names it as it was named."""
    shutil.copytree(SAMPLES / "seed", tmp_path / "wrong")
    (tmp_path / "wrong" / "manifest.json").write_text("{")
    url = store.put(tmp_path / "wrong", "wrong")
    ran = CliRunner().invoke(main, ["analyze", url, "-n", "0"])
    assert f"hoptrace: {url}/manifest.json: " in ran.stderr
    assert "hoptrace-" not in ran.output


def test_pieces(store: Store, tmp_path: Path) -> None:
    """Ranges of an object, in any order; what it does not have ends them."""
    data = bytes(range(256)) * 40
    (tmp_path / "data").write_bytes(data)
    url = store.put(tmp_path / "data", "a b/ä&=#?.bin")
    places = np.arange(0, 10_000, 7)[::-1]
    lengths = np.full(len(places), 5)

    assert len(places) > AT_A_TIME
    assert list(read_at(url, places, lengths)) == [data[place : place + 5] for place in places.tolist()]
    assert list(read_at(url, np.array([1, 10_238, 2]), np.array([2, 5, 2]))) == [b"\x01\x02"]
    assert size_of(url) == len(data)
    assert list(names_below(f"{BUCKET}/a b/")) == ["ä&=#?.bin"]
    with open_stored(url) as file:
        assert (file.seek(-3, 2), file.read(), file.seek(300), file.read(2)) == (10_237, data[-3:], 300, data[44:46])


def test_extents(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large object is read in several."""
    monkeypatch.setattr(extents, "LEAST", 500)
    url = store.put(SAMPLES / "seed", "cut")
    (cut,) = extents.cut_files([partial(CaptureFile, f"{url}/docker0.pcap", "docker0.pcap")], 1_000)
    assert len(cut.extents) > 1
    assert _told(url, "--json", "--jobs", "2") == _told(str(SAMPLES / "seed"), "--json")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"{BUCKET}/nothing/veth.pcap", "there is no such object, and none below it"),
        ("s3://no-such-bucket/veth.pcap", "Server returned non-2xx status code: 404 Not Found\n"),
        ("http://127.0.0.1:1/veth.pcap", "HTTP error: error sending request\n"),
        ("https:///veth.pcap", ""),
        ("s3://", ""),
        ("s3://captures-of-nobody", "Server returned non-2xx status code: 404 Not Found\n"),
        ("http://127.0.0.1:1/veth.pcap?signature=x", "a URL with a query, such as a signed one, is not read"),
    ],
)
def test_what_is_not_there(store: Store, url: str, why: str) -> None:
    """It is said in a line."""
    ran = CliRunner().invoke(main, ["analyze", url])
    assert ran.exit_code == 3
    assert ran.stderr.startswith(f"hoptrace: {url}: {why}")
    assert len(ran.stderr.splitlines()) == 1


def test_limits(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of too many objects is not searched, and dumps have a limit."""
    url = store.put(SAMPLES / "bundle", "limited")
    with ExitStack() as stack, pytest.raises(InputError, match="dumps are too large"):
        mirror.mirror(url, is_capture_name, stack, 1_000)
    monkeypatch.setattr(mirror, "MOST_MEMBERS", 2)
    ran = CliRunner().invoke(main, ["analyze", url])
    assert ran.stderr == f"hoptrace: {url}: more than 2 objects\n"


def test_nothing_that_reads_from_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what to install."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    ran = CliRunner().invoke(main, ["analyze", f"{BUCKET}/veth.pcap"])
    assert (ran.exit_code, ran.stderr) == (
        3,
        "hoptrace: object stores are read by obstore: pip install 'hoptrace[stores]'\n",
    )

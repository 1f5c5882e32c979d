"""What an analysis begins with: the captures that open, and what dumps state of the host or hosts."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from analyzer.decode.reader import Opener
from analyzer.link.stated import Stated
from analyzer.model import ConntrackEntry, FlowTuple, Hosts, HostState
from analyzer.packet.text import PROTOCOLS
from analyzer.read.file import CaptureFile
from analyzer.read.inputs import Bundle, Inputs, find_inputs
from analyzer.read.manifest import Manifest
from analyzer.read.source import HEAD, buffer
from analyzer.read.spec import PointSpec
from analyzer.read.stored import size_of
from analyzer.state.load import load_host

_NUMBERS = {name: number for number, name in PROTOCOLS.items()}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Inputs that were found."""

    inputs: Inputs
    hosts: Hosts
    stack: ExitStack
    """Closes what is temporary."""

    @property
    def stored(self) -> int:
        """Bytes of all captures, as they are stored."""
        return sum(size_of(self.inputs.local[file]) for file in self.inputs.files)

    def captures(self) -> list[Opener]:
        """Return what opens each capture."""
        return [partial(CaptureFile, self.inputs.local[file], file) for file in self.inputs.files]

    def expected_frames(self) -> int:
        """Estimate how many frames there are, by the first records of each capture."""
        peek = buffer(HEAD)
        return sum(capture(peek).expected_frames() for capture in self.captures())


@contextmanager
def prepare(
    paths: Sequence[str | Path],
    host: str | Path | None = None,
    points: Sequence[PointSpec] = (),
    *,
    most_unpacked: int | None = None,
) -> Iterator[Prepared]:
    """
    Find captures and read dumps; what can be read only once is kept as a temporary copy meanwhile.

    Args:
        paths: captures and bundles (folders of captures, with dumps in ``host/``); ``-`` is stdin.
        host: folder of dumps of the host's state.
        points: what is known of files; files named only here are read, too.
        most_unpacked: bytes that a packed bundle may have; None for what is usual.

    Raises:
        InputError: no file was usable, or a path or *host* is not there.
    """
    with ExitStack() as stack:
        inputs = find_inputs([str(path) for path in paths], points, stack, most_unpacked)
        yield Prepared(inputs, _hosts(inputs, Path(host) if host is not None else None), stack)


def _hosts(inputs: Inputs, folder: Path | None) -> Hosts:
    """Read the dumps in *folder*, which are the first host's, or those of each bundle."""
    if folder is not None:
        bundles = inputs.bundles.values()
        events = next((one.events for one in bundles if one.events), None)
        drops = next((one.drops for one in bundles if one.drops), None)
        retis = next((one.retis for one in bundles if one.retis), None)
        name = next((spec.host for spec in inputs.specs), None)
        return Hosts.of(load_host(folder, events=events, drops=drops, retis=retis, name=name))
    states = [_told_by(bundle, name) for name, bundle in inputs.bundles.items()]
    return Hosts.of(*states) if states else Hosts()


def _told_by(bundle: Bundle, name: str | None) -> HostState:
    """Read the dumps of a bundle; what its manifest could not record is told, too."""
    state = (
        HostState(name=name)
        if bundle.host is None
        else load_host(bundle.host, events=bundle.events, drops=bundle.drops, retis=bundle.retis, name=name)
    )
    if bundle.manifest is None:
        return state
    problems = (*_lacks(bundle.path, bundle.manifest), *state.problems)
    return replace(state, problems=problems, ran=bundle.manifest.command)


def _lacks(folder: Path, manifest: Manifest) -> list[str]:
    """Say what a recording should have had."""
    told = [f"not recorded: {problem}" for problem in manifest.problems]
    there = [path.name for path in folder.iterdir()]
    gone = [point.name for point in manifest.points if not any(name.startswith(point.file) for name in there)]
    if gone:
        told.insert(0, f"{folder.name}: no capture of {', '.join(gone)}, which the manifest names")
    if manifest.stopped_ns is None:
        told.insert(0, f"{folder.name}: the recording has no end: hoptrace was killed")
    return told


def stated_entries(state: HostState) -> list[Stated]:
    """Return the conntrack entries as integers."""
    return [_as_integers(entry) for entry in state.conntrack]


def _as_integers(entry: ConntrackEntry) -> Stated:
    def ends(t: FlowTuple) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        ports = (t.icmp_id, t.icmp_id) if t.icmp_id is not None else (t.sport, t.dport)
        (a, b), (c, d) = (divmod(int(ip), 1 << 64) for ip in (t.src, t.dst))
        return (a, b, ports[0] or 0), (c, d, ports[1] or 0)

    proto = _NUMBERS.get(entry.original.protocol, 0)
    original, reply = ends(entry.original), ends(entry.reply)
    return Stated(entry.original.src.version, proto, original, reply, entry.first_ns, entry.last_ns)

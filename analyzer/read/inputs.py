"""What the user named, opened up: captures, and the bundles and hosts they belong to.

Takes paths, gives the files to read in the order to read them: pieces of a rotated capture stand together, in order
of time. A folder of bundles is all of them; each of several bundles is a host of its own.
"""

import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from analyzer.errors import InputError
from analyzer.read.bundle import MOST_BYTES, unpack
from analyzer.read.file import CaptureFile
from analyzer.read.manifest import PACKED, Manifest, read_manifest
from analyzer.read.mirror import mirror
from analyzer.read.pieces import group_pieces
from analyzer.read.source import HEAD, STDIN, buffer, needs_spool, spool
from analyzer.read.spec import PointSpec
from analyzer.read.stored import is_remote

LOG = logging.getLogger(__name__)
CAPTURE_SUFFIXES = (".pcap", ".pcapng", ".cap", ".dmp", ".snoop")
COMPRESSIONS = (".gz", ".zst", ".xz", ".bz2")
MOST_CAPTURES = 4096
"""Of a folder."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder of captures, with dumps in ``host/``, and what conntrack and the kernel told meanwhile beside it."""

    path: Path
    host: Path | None
    events: Path | None
    drops: Path | None
    retis: Path | None
    manifest: Manifest | None = None


@dataclass(slots=True)
class Inputs:
    """Captures that open, in the order to read them."""

    given: list[str] = field(default_factory=list)
    """What the user named."""
    files: list[str] = field(default_factory=list)
    local: dict[str, str] = field(default_factory=dict)
    """By file: where it can be read, twice if need be."""
    specs: list[PointSpec] = field(default_factory=list)
    """By file number: what is known of it."""
    groups: list[list[int]] = field(default_factory=list)
    """Numbers of files that may be pieces of one capture."""
    bundles: dict[str | None, Bundle] = field(default_factory=dict)
    """By host's name, None where there is only one."""
    unusable: list[InputError] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    """Files that were named more than once, by whatever path."""
    named_unusable: list[str] = field(default_factory=list)
    """What the user named and gave nothing, as it was given."""

    def called_alike(self) -> list[int]:
        """Return the numbers of the groups that the user gave one name."""
        names = [{self.specs[file].name for file in group} for group in self.groups]
        return [number for number, found in enumerate(names) if len(found) == 1 and None not in found]


def find_inputs(
    paths: Sequence[str], points: Sequence[PointSpec], stack: ExitStack, most_unpacked: int | None = None
) -> Inputs:
    """
    Open up *paths* and the files of *points*; temporary copies live as long as *stack*.

    Raises:
        InputError: no file was usable.
    """
    inputs = Inputs([*paths, *(spec.file for spec in points)])
    bundles: list[Bundle] = []
    home: dict[str, Bundle] = {}
    files: list[str] = []
    for path in paths:
        opened = _open_up(path, inputs.unusable, stack, most_unpacked)
        if not opened:
            inputs.named_unusable.append(path)
        for file, bundle in opened:
            files.append(file)
            if bundle is not None:
                home[file] = bundle
                bundles += [bundle] if bundle not in bundles else []
    files = _each_once(list(dict.fromkeys([*files, *(spec.file for spec in points)])), inputs.doubled)
    several = len(bundles) > 1
    inputs.bundles = {(bundle.path.name if several else None): bundle for bundle in bundles}
    specs = {spec.file: spec for spec in points}
    for file, bundle in home.items():
        spec = specs[file] = _recorded(specs.get(file, PointSpec(file)), bundle)
        if several and spec.host is None:
            specs[file] = replace(spec, host=bundle.path.name)
    names = {spec.file: spec.name for spec in points if spec.name}
    inputs.local = {file: stack.enter_context(spool(file)) if needs_spool(file) else file for file in files}
    usable = _usable(files, inputs)
    named = {*paths, *(spec.file for spec in points)}
    inputs.named_unusable += [file for file in files if file not in usable and (file not in home or file in named)]
    peek = buffer(HEAD)

    def first_ns(file: str) -> int | None:
        return CaptureFile(inputs.local[file], file, peek).first_ns()

    groups = group_pieces(usable, names, first_ns)
    inputs.files = [file for group in groups for file in group]
    for file in inputs.files:
        LOG.debug("reads %s", file)
    for bundle in bundles:
        LOG.debug("dumps of %s: %s", bundle.path, bundle.host or "none")
    inputs.specs = [specs.get(file, PointSpec(file)) for file in inputs.files]
    number = {file: place for place, file in enumerate(inputs.files)}
    inputs.groups = [[number[file] for file in group] for group in groups if len(group) > 1]
    return inputs


def _each_once(files: list[str], doubled: list[str]) -> list[str]:
    """Leave out a file that stands there already by another path; what is left out is *doubled*."""
    found: dict[str, str] = {}
    for file in files:
        # realpath() takes links that lead to each other as they are; resolve() fails.
        known = found.setdefault(file if file == STDIN or is_remote(file) else os.path.realpath(file), file)
        if known != file:
            doubled.append(f"{file} is the same file as {known}: counted once")
    return list(found.values())


def _recorded(spec: PointSpec, bundle: Bundle) -> PointSpec:
    """Fill in what the bundle's manifest says; what the user said, stands."""
    manifest = bundle.manifest
    if manifest is None:
        return spec
    name = Path(spec.file).name
    names = {name, *(name.removesuffix(ending) for ending in COMPRESSIONS)}  # captures may be compressed afterwards
    point = next((point for point in manifest.points if point.file in names), None)
    if point is None:
        return spec
    ends = [time for time in (manifest.stopped_ns, point.ended_ns) if time is not None]
    return replace(
        spec,
        role=spec.role or point.role,
        container=spec.container or point.container,
        recorded=point,
        filter=manifest.filter,
        # Without its closing counts, nothing but its frames shows until when a capture recorded.
        recorded_ns=(manifest.started_ns, min(ends) if ends and point.dropped is not None else None),
    )


def _open_up(
    path: str, unusable: list[InputError], stack: ExitStack, most_unpacked: int | None
) -> list[tuple[str, Bundle | None]]:
    """Return the captures of a path, and the bundle each is in; what cannot be is *unusable*."""
    try:
        folder, most = Path(path), MOST_BYTES if most_unpacked is None else most_unpacked
        if path.endswith(PACKED):
            copy = stack.enter_context(spool(path)) if is_remote(path) and needs_spool(path) else path
            folder, damage = unpack(path, stack, most, copy)
            unusable += [damage] if damage is not None else []
        elif is_remote(path):
            folder = mirror(path, is_capture_name, stack, most) or folder
        if path == STDIN or not folder.is_dir():
            return [(path, None)]
        wrong: list[InputError] = []
        found = _captures(folder, wrong)
        if not found:
            inner = sorted(p for p in folder.iterdir() if p.is_dir())
            found = [capture for one in inner for capture in _captures(one, wrong)]
        if is_remote(path):  # nobody knows the temporary folder that stands for it
            wrong = [InputError(str(error).replace(str(folder), path.rstrip("/"))) for error in wrong]
        unusable += wrong
        if not found:
            unusable.append(InputError(f"{path}: no captures in this folder"))
        if is_remote(path) and not path.endswith(PACKED):  # captures are read where they are
            return [(file.replace(str(folder), path.rstrip("/"), 1), bundle) for file, bundle in found]
        return [(file, bundle) for file, bundle in found]
    except InputError as error:
        unusable.append(error)
        return []
    except OSError as error:
        unusable.append(InputError(f"{path}: {error.strerror or error}"))
        return []


def _captures(folder: Path, unusable: list[InputError]) -> list[tuple[str, Bundle]]:
    host, events, drops, retis = (folder / name for name in ("host", "conntrack-events.txt", "drops.txt", "retis.data"))
    before = folder / "host-before"
    try:
        manifest = read_manifest(folder)
    except InputError as error:
        manifest = None
        unusable.append(error)
    bundle = Bundle(
        folder,
        host if host.is_dir() or before.is_dir() else None,
        events if events.is_file() else None,
        drops if drops.is_file() else None,
        retis if retis.is_file() else None,
        manifest,
    )
    files = sorted(str(path) for path in folder.iterdir() if is_capture(path))
    if len(files) > MOST_CAPTURES:
        unusable.append(InputError(f"{folder}: only the first {MOST_CAPTURES:,} of {len(files):,} captures are read"))
    return [(file, bundle) for file in files[:MOST_CAPTURES]]


def is_capture(path: Path) -> bool:
    """Tell a capture by its name, compressed or not, rotated or not."""
    return path.is_file() and is_capture_name(path)


def is_capture_name(path: PurePath) -> bool:
    """Tell it by the name alone."""
    suffixes = [s.lower() for s in path.suffixes]
    while suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1].rstrip("0123456789") in CAPTURE_SUFFIXES


def _usable(files: list[str], inputs: Inputs) -> list[str]:
    """Return the files that open as captures; raise if none does."""
    found: list[str] = []
    peek = buffer(HEAD)
    for file in files:
        try:
            CaptureFile(inputs.local[file], file, peek).close()
            found.append(file)
        except InputError as error:
            inputs.unusable.append(error)
    if not found:
        told = [str(error) for error in inputs.unusable] or ["no captures given"]
        raise InputError(told[0], others=told[1:])
    return found

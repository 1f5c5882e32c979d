"""A bundle, or captures, written anew so that anybody may see them; hoptrace says of them what it said before."""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.captures import Captures
from analyzer.anonymise.dumps import Dumps
from analyzer.anonymise.frames import Frames
from analyzer.anonymise.key import LARGEST, Key
from analyzer.anonymise.messages import Messages
from analyzer.anonymise.payload import Payloads
from analyzer.anonymise.subnets import named_in
from analyzer.anonymise.words import Words
from analyzer.errors import InputError, OutputError
from analyzer.read.bundle import BEFORE, HOST, MOST_BYTES, unpack
from analyzer.read.inputs import COMPRESSIONS, is_capture
from analyzer.read.manifest import NAME, PACKED, Manifest, read_manifest, write_manifest
from analyzer.read.scratch import scratch
from analyzer.record.pack import pack
from analyzer.state.dumps import INSIDE, MAX_DUMP, NAMES, OVERLAYS
from analyzer.state.load import EVENTS
from analyzer.state.retis import FILE as RETIS

CAPTURES = "captures"
"""The folder of those that are given beside bundles."""
CONNTRACK, DROPS = "conntrack-events.txt", "drops.txt"
FOLDERS = (HOST, BEFORE, INSIDE, OVERLAYS)
"""In a bundle, of which the names are no names."""
DEEPEST = 4
"""Folders in folders: a host's, its containers', and one of them."""


@dataclass(slots=True)
class Made:
    """What was written."""

    captures: int = 0
    dumps: int = 0
    left_out: list[str] = field(default_factory=list)
    """Files that nothing of is there: nobody reads them."""
    problems: list[str] = field(default_factory=list)
    """What could not be read, or not all of it."""


def anonymise(paths: Sequence[str], target: Path, secret: bytes | None = None, most_unpacked: int = MOST_BYTES) -> Made:
    """
    Write captures and bundles anew, with addresses, MACs, names and payloads replaced.

    Args:
        paths: a bundle, packed or not; or several, and captures, which come together then.
        target: a new folder, or a file that ends in ``.tar.zst``.
        secret: what all replacements depend on: those of two runs with one secret are alike. By itself it is a new one
            each time, which is forgotten.
        most_unpacked: bytes that a packed bundle may have unpacked.

    Raises:
        InputError: a path is not there, or there is no capture.
        OutputError: *target* is there already, or cannot be written.
    """
    if target.exists() or target.is_symlink():
        raise OutputError(f"{target}: there already")
    if any(target.resolve().is_relative_to(Path(path).resolve()) for path in paths):
        raise OutputError(f"{target}: inside what is to be written anew")
    name = target.name.removesuffix(PACKED)
    with ExitStack() as stack:
        folder = stack.enter_context(scratch(_beside(target))) / name
        folder.mkdir()
        made = Made()
        sources = [_opened(path, stack, made, most_unpacked) for path in paths]
        maker = _Maker(Key(secret or secrets.token_bytes(LARGEST)), sources, made)
        for source, inner in maker.places(sources, folder):
            inner.mkdir(exist_ok=True)
            maker.write(source, inner)
        if not made.captures:
            raise InputError(f"{', '.join(paths)}: no captures")
        if target.name.endswith(PACKED):
            pack(folder, name, target)
        else:
            folder.rename(target)
    return made


def _beside(target: Path) -> str:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from None
    return str(target.parent)


def _opened(path: str, stack: ExitStack, made: Made, most: int) -> Path:
    if path.endswith(PACKED):
        folder, damage = unpack(path, stack, most)
        made.problems += [str(damage)] if damage is not None else []
        return folder
    if not Path(path).exists():
        raise InputError(f"{path}: no such file or folder")
    return Path(path)


class _Maker:
    """Writes one file after the other."""

    def __init__(self, key: Key, sources: Sequence[Path], made: Made) -> None:
        addresses = Addresses(key, *named_in(text for source in sources for text in _texts(source)))
        self._words = Words(key, addresses)
        frames = Frames(addresses, Payloads(key, addresses, Messages(addresses, self._words)))
        self._captures = Captures(frames, addresses, self._words)
        self._dumps = Dumps(self._words)
        self._made = made
        self._lines = {
            CONNTRACK: self._words.text, DROPS: self._dumps.drop, EVENTS: self._dumps.event, RETIS: self._dumps.retis,
        }  # fmt: skip

    def places(self, sources: Sequence[Path], target: Path) -> Iterator[tuple[Path, Path]]:
        """Say where each goes: one bundle, or captures, into *target*; of several each has a folder of its own."""
        apart = len(sources) > 1 and any(one.is_dir() for one in sources)
        taken: Counter[str] = Counter()
        for source in sources:
            name = self._name(source.resolve().name) if source.is_dir() else CAPTURES
            taken[name] += source.is_dir()
            unique = f"{name}-{taken[name]}" if taken[name] > 1 else name
            yield source, target / unique if apart else target

    def write(self, source: Path, target: Path) -> None:
        """Write a capture into *target*, or all that is in a bundle."""
        if source.is_dir():
            self._folder(source, target, DEEPEST)
        else:
            self._file(source, target, is_named=True)

    def _folder(self, source: Path, target: Path, deeper: int) -> None:
        for one in sorted(source.iterdir()):
            inner = target / (one.name if one.name in FOLDERS else self._name(one.name))
            if one.is_file() and not one.is_symlink():
                self._file(one, target)
            elif one.is_dir() and not one.is_symlink() and deeper:
                inner.mkdir(exist_ok=True)
                self._folder(one, inner, deeper - 1)
            else:
                self._made.left_out.append(one.name)

    def _file(self, source: Path, target: Path, *, is_named: bool = False) -> None:
        made = self._made
        try:
            if source.name == NAME:
                self._manifest(source.parent, target)
            elif is_named or is_capture(source):
                told = self._captures.write(source, target / self._file_name(source.name))
                made.captures += 1
                made.problems += [told] if told is not None else []
            elif source.name in self._lines:
                self._dumps.write_lines(source, target / source.name, self._lines[source.name])
            elif source.name in NAMES:
                told = self._dumps.write(source, target / source.name)
                made.dumps += told is None
                made.problems += [told] if told is not None else []
            else:
                made.left_out.append(source.name)
        except InputError as error:
            made.problems.append(str(error))
        except OSError as error:
            raise OutputError(f"{error.filename or source}: {error.strerror or error}") from None

    def _file_name(self, name: str) -> str:
        """Return what a capture is called, which is not compressed any more."""
        for ending in COMPRESSIONS:
            name = name.removesuffix(ending)
        return self._name(name)

    def _name(self, name: str) -> str:
        """Return what a file or a folder is called, as can be shown."""
        return "".join(one if one.isprintable() else "_" for one in self._words.text(name))

    def _manifest(self, folder: Path, target: Path) -> None:
        manifest = read_manifest(folder)
        if manifest is not None:
            write_manifest(target, self._told(manifest))

    def _told(self, manifest: Manifest) -> Manifest:
        text = self._words.text

        def maybe(told: str | None) -> str | None:
            return text(told) if told is not None else None

        points = tuple(
            replace(
                one,
                name=text(one.name),
                file=self._file_name(one.file),
                interface=text(one.interface),
                container=maybe(one.container),
                network=maybe(one.network),
                ended=maybe(one.ended),
                unseen=maybe(one.unseen),
            )
            for one in manifest.points
        )
        return replace(
            manifest,
            host=text(manifest.host),
            filter=text(manifest.filter),
            command=(),
            versions={text(name): text(version) for name, version in manifest.versions.items()},
            points=points,
            problems=tuple(map(text, manifest.problems)),
        )


def _texts(source: Path) -> Iterator[str]:
    """Give the dumps that name subnets."""
    for one in sorted(source.rglob("*")) if source.is_dir() else ():
        if one.name in NAMES and one.is_file() and one.stat().st_size <= MAX_DUMP:
            yield one.read_text(encoding="utf-8", errors="replace")

"""Folders of object stores as folders here: all that is small in them, and empty files in place of captures."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path, PurePath, PurePosixPath

from analyzer.errors import InputError
from analyzer.read.bundle import BEFORE, HOST, MOST_MEMBERS, extract
from analyzer.read.scratch import scratch
from analyzer.read.stored import names_below, open_stored, size_of
from analyzer.read.tar import CHUNK, Member

BESIDE = ("manifest.json", "conntrack-events.txt", "docker-events.json", "drops.txt", "retis.data")
"""What a bundle has beside captures and folders of dumps."""


def mirror(url: str, is_capture: Callable[[PurePath], bool], stack: ExitStack, most: int) -> Path | None:
    """
    Copy what bundles at *url* have beside captures, *most* bytes of it; None if an object of that name is there.

    Raises:
        InputError: there is nothing, it cannot be read, or it has too much.
    """
    try:
        if "/" in url.partition("://")[2].rstrip("/") and not url.endswith("/") and _is_object(url):
            return None
        names = _listed(url)
        if not names:
            raise InputError(f"{url}: there is no such object, and none below it")
        if len(names) > MOST_MEMBERS:
            raise InputError(f"{url}: more than {MOST_MEMBERS:,} objects")
        target = stack.enter_context(scratch()) / (PurePosixPath(url).name or "bundle")
        target.mkdir()
        for name in names:
            path = PurePosixPath(name)
            if is_capture(path):
                extract(Member(name, False, iter(())), target)
            elif path.name in BESIDE or {HOST, BEFORE} & set(path.parts[:-1]):
                most -= size_of(f"{url.rstrip('/')}/{name}")
                if most < 0:
                    raise InputError(f"{url}: dumps are too large; --unpack-limit allows more")
                extract(Member(name, False, _content(f"{url.rstrip('/')}/{name}")), target)
    except OSError as error:
        raise InputError(f"{url}: {error.strerror or error}") from None
    return target


def _listed(url: str) -> list[str]:
    try:
        return list(islice(names_below(url), MOST_MEMBERS + 1))
    except OSError:
        if url.startswith("http"):
            why = "there is no such object, and a web server does not list what is below it"
            raise InputError(f"{url}: {why}") from None
        raise


def _is_object(url: str) -> bool:
    try:
        size_of(url)
    except FileNotFoundError:
        return False
    return True


def _content(url: str) -> Iterator[bytes]:
    with open_stored(url) as file:
        while data := file.read(CHUNK):
            yield data

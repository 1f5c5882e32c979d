"""Files of a work directory, written once and read in ranges: on a disk, or objects of a store that all workers see."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

from analyzer.read.stored import SCHEMES, is_remote, library, names_below, open_stored, parts_of, plainly, store_of

WRITABLE = SCHEMES[:3]
"""What can be written to."""
TOGETHER = 500
"""Objects that are removed with one request."""


class Writer(Protocol):
    """Takes bytes in."""

    def write(self, data: Any, /) -> Any:
        """Write *data*, bytes or what has some."""


def new_path(folder: str) -> str:
    """Return what nothing in *folder* is called."""
    return f"{folder}/{token_hex(8)}"


@contextmanager
def writing(path: str) -> Iterator[Writer]:
    """
    Write a file, which is there when all of it is written.

    Raises:
        OSError: it cannot be written.
    """
    if not is_remote(path):
        with Path(path).open("wb") as file:
            yield file
        return
    above, name = parts_of(path)
    with plainly():
        writer = library().open_writer(store_of(above), name)
    yield _Object(writer)  # if that raises, there is no object: it is made when its writer is closed
    with plainly():
        writer.close()


class _Object:
    """An object that is being written."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write(self, data: Any, /) -> None:
        """Write *data*."""
        with plainly():
            self._writer.write(data)


def read_into(path: str, view: memoryview, at: int) -> None:
    """
    Fill *view*, bytes, with what is in a file from a place on.

    Raises:
        OSError: it is gone, or shorter.
    """
    if is_remote(path):
        if not len(view):
            return
        above, name = parts_of(path)
        with plainly():
            data = memoryview(library().get_range(store_of(above), name, start=at, length=len(view)))
        if len(data) != len(view):
            raise OSError("it is shorter than it was")
        view[:] = data
        return
    with Path(path).open("rb", buffering=0) as file:
        file.seek(at)
        done = 0
        while done < len(view):
            got = file.readinto(view[done:])
            if not got:
                raise OSError("it is shorter than it was")
            done += got


def replace_at(path: str, data: memoryview, at: int) -> None:
    """
    Write *data* over what is in a file from a place on; an object is written anew.

    Raises:
        OSError: it is gone, or cannot be written.
    """
    if not is_remote(path):
        with Path(path).open("r+b") as file:
            file.seek(at)
            file.write(data)
        return
    with open_stored(path) as file:
        whole = bytearray(file.read())
    whole[at : at + len(data)] = data
    with writing(path) as writer:
        writer.write(whole)


def remove(path: str) -> None:
    """Remove a file, as far as that can be done: what is left goes with its folder."""
    with suppress(OSError):
        if not is_remote(path):
            Path(path).unlink(missing_ok=True)
            return
        above, name = parts_of(path)
        with plainly():
            library().delete(store_of(above), name)


def remove_below(url: str) -> None:
    """
    Remove all objects below *url*.

    Raises:
        OSError: that cannot be done.
    """
    names = list(names_below(url))
    with plainly():
        for begin in range(0, len(names), TOGETHER):
            library().delete(store_of(url), names[begin : begin + TOGETHER])


def is_there(path: str) -> bool:
    """Tell whether there is a file."""
    if not is_remote(path):
        return Path(path).exists()
    above, name = parts_of(path)
    try:
        with plainly():
            library().head(store_of(above), name)
    except OSError:
        return False
    return True

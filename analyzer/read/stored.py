"""Files where they are: on this machine, or in object stores and on web servers, which give them in ranges.

Who may read there is told by the environment, as AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, GOOGLE_SERVICE_ACCOUNT or
AZURE_STORAGE_ACCOUNT_KEY do.
"""

import errno
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from analyzer.errors import InputError
from analyzer.schema import Array, Int64

SCHEMES = ("s3://", "gs://", "az://", "http://", "https://")
AHEAD = 1 << 20
"""Bytes that are asked for at the least."""
AT_A_TIME = 1_000
"""Frames that are asked for together."""
PATIENCE_S, TRIES = 20, 4
LONGEST = timedelta(hours=12)
"""Of a request: an object that is read from its beginning may be long."""


def is_remote(path: str) -> bool:
    """Tell a URL from a path."""
    return path.startswith(SCHEMES)


def open_stored(path: str) -> BinaryIO:
    """
    Open a file, to read it from any place on.

    Raises:
        InputError: what reads from there is not installed.
        OSError: it is not there, or cannot be read.
    """
    if is_remote(path):
        return io.BufferedReader(_Remote(path), AHEAD)
    return Path(path).open("rb")


def size_of(path: str) -> int:
    """
    Return how many bytes a file has.

    Raises:
        InputError: what reads from there is not installed.
        OSError: it is not there.
    """
    return _Remote(path).size if is_remote(path) else Path(path).stat().st_size


def read_at(path: str, places: Int64, lengths: Array) -> Iterator[bytes]:
    """
    Give (n,) pieces of a file that begin at *places*, as far as it has them all.

    Raises:
        OSError: it cannot be read.
    """
    pieces = zip(places.tolist(), lengths.tolist(), strict=True)
    if not is_remote(path):
        with Path(path).open("rb", buffering=0) as file:
            yield from _whole((_piece(file, place, length) for place, length in pieces), lengths)
        return
    yield from _whole(_Remote(path).pieces(pieces), lengths)


def _piece(file: io.FileIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)


def takes_ranges(url: str) -> bool:
    """
    Tell whether an object can be read in ranges: plain web servers know none.

    Raises:
        InputError: what reads from there is not installed.
    """
    obstore = library()
    try:
        above, name = parts_of(url)
        with plainly():
            obstore.get_range(store_of(above), name, start=0, length=1)
    except OSError as error:
        return error.errno != errno.EOPNOTSUPP
    return True


def stream(url: str) -> Iterator[bytes]:
    """
    Give an object from its beginning.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    above, name = parts_of(url)
    with plainly():
        yield from map(bytes, library().get(store_of(above), name).stream(AHEAD))


def names_below(url: str) -> Iterator[str]:
    """
    Give the names of all objects below *url*, as paths from there.

    Raises:
        InputError: what reads from there is not installed.
        OSError: there is none, or it cannot be asked.
    """
    obstore = library()
    with plainly():
        for some in obstore.list(store_of(url.rstrip("/"))):
            yield from (str(one["path"]) for one in some)


def _whole(found: Iterator[bytes], lengths: Array) -> Iterator[bytes]:
    for data, length in zip(found, lengths.tolist(), strict=False):
        if len(data) < length:
            return
        yield data


def parts_of(url: str) -> tuple[str, str]:
    """
    Return what an object lies in, and its name there.

    Raises:
        OSError: it has a query, which cannot be asked with ranges.
    """
    if url.startswith("http") and "?" in url:
        why = "a URL with a query, such as a signed one, is not read; s3:// is, with keys in the environment"
        raise OSError(errno.EINVAL, why)
    above, _, name = url.rpartition("/")
    return above, unquote(name) if url.startswith("http") else name  # encoded once more on its way


class _Remote(io.RawIOBase):
    """An object, read in ranges."""

    def __init__(self, url: str) -> None:
        above, self._name = parts_of(url)
        self._library, self._at = library(), 0
        with plainly():
            self._store = store_of(above)
            self.size = int(self._library.head(self._store, self._name)["size"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        return self._at

    def readinto(self, into: Any) -> int:
        """Read as much as there is, up to as much as fits."""
        view = memoryview(into).cast("B")
        count = min(len(view), self.size - self._at)
        if count <= 0:
            return 0
        with plainly():
            data = self._library.get_range(self._store, self._name, start=self._at, length=count)
        found = memoryview(data)[:count]
        view[: len(found)] = found
        self._at += len(found)
        return len(found)

    def pieces(self, wanted: Iterator[tuple[int, int]]) -> Iterator[bytes]:
        """Give pieces by place and length; those that lie near each other are asked for at once."""
        while some := list(islice(wanted, AT_A_TIME)):
            starts, lengths = zip(*some, strict=True)
            with plainly():
                found: Sequence[Any] = self._library.get_ranges(self._store, self._name, starts=starts, lengths=lengths)
            yield from map(bytes, found)


def library() -> Any:
    """
    Import what reads from stores, which is installed only by those who have some.

    Raises:
        InputError: it is not installed.
    """
    try:
        import obstore  # noqa: PLC0415
    except ImportError:
        raise InputError("object stores are read by obstore: pip install 'hoptrace[stores]'") from None
    return obstore


@lru_cache(maxsize=16)
def store_of(url: str) -> Any:
    """Return what reads and writes objects below *url*."""
    from obstore.store import from_url  # noqa: PLC0415

    patience: Any = {"max_retries": TRIES, "retry_timeout": timedelta(seconds=PATIENCE_S)}
    silence = timedelta(seconds=PATIENCE_S)
    options: Any = {"allow_http": True, "timeout": LONGEST, "connect_timeout": silence, "read_timeout": silence}
    return from_url(url, client_options=options, retry_config=patience)


@contextmanager
def plainly() -> Iterator[None]:
    """Let what goes wrong there be an OSError that says so in a line."""
    from obstore.exceptions import BaseError, NotSupportedError  # noqa: PLC0415

    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "there is no such object") from None
    except NotSupportedError as error:
        raise OSError(errno.EOPNOTSUPP, str(error).partition("\n")[0]) from None
    except (BaseError, OSError, ValueError) as error:
        # "Generic S3 error: Error performing GET http://... in 3 ms - HTTP error: error sending request"
        why = str(error).strip().partition("\n")[0].rpartition(" - ")[2].partition(": <")[0]
        raise OSError(errno.EIO, why or type(error).__name__) from None

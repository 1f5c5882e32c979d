"""What all replacements are made of: a secret, and digests under it (RFC 7693). Without it none can be undone."""

from hashlib import blake2b

LARGEST = 64
"""Bytes of a secret, and of a digest."""


class Key:
    """A secret of up to 64 bytes."""

    def __init__(self, secret: bytes) -> None:
        """Take it; what is longer is digested first."""
        self._secret = secret if len(secret) <= LARGEST else blake2b(secret).digest()

    def digest(self, kind: bytes, data: bytes, size: int) -> bytes:
        """Return *size* bytes, at most 64, that depend on all of *data*; one *kind* tells nothing of another."""
        return blake2b(data, key=self._secret, person=kind, digest_size=size).digest()

    def prefixes(self, kind: bytes, data: bytes) -> bytes:
        """Return as many bytes as *data* has, of which each depends on all bytes up to its own, and no more."""
        state = blake2b(key=self._secret, person=kind, digest_size=1)
        found = bytearray()
        for place in range(len(data)):
            state.update(data[place : place + 1])
            found += state.digest()
        return bytes(found)

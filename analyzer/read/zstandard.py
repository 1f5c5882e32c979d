"""Zstandard (RFC 8878): the standard library's from Python 3.14 on, else its backport, which is the same."""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ("zstd",)

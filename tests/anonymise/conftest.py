"""What replaces things, by a key that tests know."""

from types import SimpleNamespace

import pytest

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.frames import Frames
from analyzer.anonymise.key import Key
from analyzer.anonymise.messages import Messages
from analyzer.anonymise.payload import Payloads
from analyzer.anonymise.words import Words


@pytest.fixture(scope="session")
def new() -> SimpleNamespace:
    """Everything that replaces."""
    key = Key(b"a key that tests know")
    addresses = Addresses(key)
    words = Words(key, addresses)
    messages = Messages(addresses, words)
    payloads = Payloads(key, addresses, messages)
    return SimpleNamespace(
        key=key, addresses=addresses, words=words, messages=messages, payloads=payloads,
        frames=Frames(addresses, payloads),
    )  # fmt: skip

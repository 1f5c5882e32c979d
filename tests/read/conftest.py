"""Fixtures of object stores."""

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.read.objects import Store


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run an S3 server; return its address."""
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return the server's bucket; whoever reads from S3 reads there."""
    for name, value in (
        ("AWS_ENDPOINT_URL", server),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_REGION", "us-east-1"),
        ("NO_PROXY", "127.0.0.1"),
    ):
        monkeypatch.setenv(name, value)
    return Store(server)

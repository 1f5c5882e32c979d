"""DNS messages of a container and its name server, over UDP."""

import struct

from tests.build import udp
from tests.explain.scene import SERVER, Scene

KINDS = {"A": 1, "AAAA": 28}


def message(number: int, name: str, kind: str = "A", outcome: int | None = None) -> bytes:
    """Build a question, or with its *outcome* an answer, whose record was cut off."""
    flags = 0x0100 if outcome is None else 0x8180 | outcome
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        struct.pack("!6H", number, flags, 1, int(outcome == 0), 0, 0)
        + labels
        + b"\0"
        + struct.pack("!HH", KINDS[kind], 1)
    )


def ask(scene: Scene, ms: float, number: int, name: str = "a.example", kind: str = "A", *, server: str = SERVER,
        sport: int | None = None, until: str = "wlan0") -> None:  # fmt: skip
    """Let the container ask; each question has a port of its own."""
    port = 30_000 + number if sport is None else sport
    scene.out(ms, 17, udp(port, 53, message(number, name, kind)), dst=server, until=until)


def answer(scene: Scene, ms: float, number: int, name: str = "a.example", kind: str = "A", outcome: int = 0, *,
           server: str = SERVER, sport: int | None = None) -> None:  # fmt: skip
    """Let the server answer."""
    port = 30_000 + number if sport is None else sport
    scene.back(ms, 17, udp(53, port, message(number, name, kind, outcome)), src=server)

"""Faults of which the kernel itself says what it did: recorded with its tracepoints."""

import subprocess

from tests.lab.faults.acts import both, from_outside, out, rule
from tests.lab.faults.world import Fault, Net, World

ASKED = ("--drops",)
DEAF = 8093


def _deaf(world: World, net: Net) -> None:
    """Start a program that takes datagrams in, and reads none; its buffer is as small as can be."""
    code = (
        "import socket,time;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);"
        f"s.setsockopt(socket.SOL_SOCKET,socket.SO_RCVBUF,1);s.bind(('',{DEAF}));time.sleep(60)"
    )
    world.meanwhile.append(subprocess.Popen([*world.in_container(net.server), "python3", "-c", code]))
    world.sleep(0.7)


def _to_the_deaf(world: World, net: Net) -> None:
    code = (
        "import socket,time;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);"
        f"[(s.sendto(b'x'*900,('{net.server_ip}',{DEAF})),time.sleep(0.02)) for _ in range(12)];time.sleep(1.2)"
    )
    subprocess.run([*world.in_container(net.client), "python3", "-c", code], check=True)


_RULE = rule("DOCKER-USER", "-p", "tcp", "--dport", "7", "-j", "DROP")

OBSERVED = (
    Fault("traced-rule", "A rule drops, and the kernel says that a hook did.", frozenset({"filtered-by-rule"}), out,
          _RULE[0], teardown=_RULE[1], capture=ASKED),
    Fault("deaf-program", "A program does not read: its socket's buffer is full.", frozenset({"dropped-by-kernel"}),
          _to_the_deaf, _deaf, capture=ASKED),
    Fault("traced-and-well", "Nothing is wrong; the kernel lets go of much all the same.", frozenset(),
          both(out, from_outside), capture=ASKED),
)  # fmt: skip

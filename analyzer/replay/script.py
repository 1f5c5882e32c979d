"""A replay as one shell script for a bug report: standard tools, no root, and an exit code that says what came out."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from analyzer.model.replay import End
from analyzer.replay.plan import Command, Plan
from analyzer.replay.play import Shown

OUTSIDE = "OUTSIDE"
HEAD = """\
#!/bin/sh
# A recorded host, built again in network namespaces, and {count} packets sent in; written by hoptrace replay.
# Needs no root where user namespaces are allowed, touches nothing of this machine, and no packet leaves it.
# Needs: util-linux, iproute2, iptables, nftables, procps, python3.
# Exits with 0 if what came out is what came out before, with 1 if not.
if [ "${{INSIDE:-}}" != yes ]; then
    exec env INSIDE=yes unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc sh "$0"
fi
set -eu
try() {{ "$@" || echo "not built: $*" >&2; }}

# The other ends of the host's interfaces are in a namespace of their own.
unshare --net sleep 600 &
OUTSIDE=$!
until [ "$(readlink "/proc/$OUTSIDE/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
outside() {{ nsenter --net="/proc/$OUTSIDE/ns/net" "$@"; }}
outside sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
"""
SEND = '''
# What is sent, by the outer end of which interface, and by which it came out again before.
set +e
outside python3 - <<'PYTHON'
import select
import socket
import sys
import time

PACKETS = [
{packets}]


def same(sent, seen):
    """Tell whether two frames carry the same packet: neither forwarding nor NAT changes these bytes."""
    if sent[12:14] != seen[12:14]:
        return False
    if sent[12:14] == b"\\x08\\x00":
        return sent[16:20] + sent[23:24] == seen[16:20] + seen[23:24]
    return sent[18:21] == seen[18:21]


wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wrong = 0
for what, way_in, frame, expected in PACKETS:
    frame = bytes.fromhex(frame)
    wire.sendto(frame, (way_in, 0))
    until, found = time.monotonic() + 0.3, "nowhere"
    while found == "nowhere" and select.select([wire], [], [], max(until - time.monotonic(), 0))[0]:
        seen, (name, _, kind, *_) = wire.recvfrom(65535)
        if kind != 4 and same(frame, seen):
            found = name
    wrong += found != expected
    print(f"{{what}}: in by {{way_in}}, out by {{found}}" + ("" if found == expected else f", not by {{expected}}"))
sys.exit(bool(wrong))
PYTHON
found=$?
kill "$OUTSIDE"
exit "$found"
'''


def script(plan: Plan, shown: Sequence[Shown]) -> str:
    """Write the script of one host; packets that the host sends itself are not in it."""
    sent = [one for one in shown if one.interface is not None]
    return "".join([HEAD.format(count=len(sent)), *_built(plan), SEND.format(packets="".join(_packets(plan, sent)))])


def _built(plan: Plan) -> Iterator[str]:
    for line in plan.missing:
        yield f"# not built: {_one_line(line)}\n"
    for command in plan.commands:
        yield _line(command)
    yield "\n"
    for name, value in plan.settings.items():
        yield f"try sysctl -qw {shlex.quote(f'{name}={value}')}\n"
    for name, peer in plan.peers.items():
        yield f"outside ip link set dev {peer} arp off multicast off promisc on up  # {_one_line(name)}\n"


def _line(command: Command) -> str:
    words = " ".join('"$OUTSIDE"' if word == OUTSIDE else shlex.quote(word) for word in command.words)
    if not command.stdin:
        return f"try {words}\n"
    end = "END"
    while end in command.stdin:
        end += "_"
    text = command.stdin if command.stdin.endswith("\n") else f"{command.stdin}\n"
    return f"\ntry {words} <<'{end}'\n{text}{end}\n"


def _packets(plan: Plan, sent: Iterable[Shown]) -> Iterator[str]:
    for one in sent:
        way_in = plan.peers[one.interface or ""]
        out = plan.peers.get(one.kernel.out, "nowhere") if one.kernel.end is End.FORWARDED else "nowhere"
        what = f"J{one.journey} {one.summary}"
        yield f"    ({what!a}, {way_in!r},\n     {one.frame.hex()!r}, {out!r}),\n"


def _one_line(text: str) -> str:
    """Make a comment of what a dump says: nothing in it ends the line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)

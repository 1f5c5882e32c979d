"""The half of a replay that runs inside: builds the host, sends packets in, and tells what the kernel did with each.

Run as a program of its own, by the interpreter's bare ``-I``, in a user and mount namespace that it does not leave;
only the standard library is there. Reads and writes lines of JSON by two open files: a plan, then a job a line.

Two network namespaces: the host, and outside, where the other ends of the host's interfaces are. One process keeps
sockets in both; nobody in either answers by itself but the host's kernel.
"""

import ctypes
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

CLONE_NEWNET = 0x4000_0000
ETH_P_ALL, PACKET_OUTGOING = 3, 4
NETLINK_NETFILTER, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTRACE = 12, 270, 1, 9
QUIET_S, PATIENCE_S = 0.004, 0.25
"""Without anything new for so long, a packet's way is over; it is waited for at most so long."""
COMMAND_S = 10
OUTSIDE = "OUTSIDE"
"""Stands for the process whose network namespace is the outer one."""
COUNTED = ("/proc/net/snmp", "/proc/net/netstat", "/proc/net/snmp6")
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def lock_files() -> None:
    """Make all that is mounted read-only, as far as the kernel lets, and put empty memory where programs write."""
    _call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    for place in dict.fromkeys(line.split()[1].encode().decode("unicode_escape") for line in mounts):
        if not place.startswith(("/proc", "/dev")):
            flags = MS_REMOUNT | MS_BIND | MS_RDONLY | _kept(place)
            _libc.mount(None, place.encode(), None, flags, None)
    for empty in (b"/run", b"/tmp"):
        _libc.mount(b"none", empty, b"tmpfs", 0, b"size=16m")


def _kept(place: str) -> int:
    """Return the mount flags that may not be taken away in a user namespace."""
    try:
        found = os.statvfs(place).f_flag
    except OSError:
        return 0
    return found & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME | os.ST_RELATIME)


class Host:
    """The built host."""

    def __init__(self) -> None:
        """Make both namespaces; this process is in the host's afterwards."""
        self.outer = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.holder = os.fork()
        if self.holder == 0:  # keeps the outer namespace, which commands name by this process
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            while True:
                signal.pause()
        _write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")
        _write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1")
        self.outside = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.outside.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        _call("unshare", CLONE_NEWNET)
        self.inner = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.traces = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.traces.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.traces.bind((0, 0))
        self.traces.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTRACE)
        _write("/proc/sys/net/ipv6/conf/default/accept_dad", "0")
        _write("/proc/sys/net/ipv6/conf/default/router_solicitations", "0")
        _write("/proc/sys/net/ipv6/conf/default/autoconf", "0")
        _write("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1")

    def build(self, plan: dict) -> list[str]:  # type: ignore[type-arg]
        """Do what a plan says; return what could not be done."""
        failed = []
        for command in plan["commands"]:
            words = [str(self.holder) if word == OUTSIDE else word for word in command["words"]]
            problem = _run(words, command["stdin"])
            if problem:
                failed.append(f"{command['about']}: {problem}")
        for name, value in plan["settings"].items():
            if not _write("/proc/sys/" + name.replace(".", "/"), value):
                failed.append(f"{name} = {value}")
        self._outside_up(plan["peers"])
        return failed

    def _outside_up(self, peers: dict) -> None:  # type: ignore[type-arg]
        _call("setns", self.outer, CLONE_NEWNET)
        try:
            for peer in peers.values():
                _run(["ip", "link", "set", "dev", peer, "arp", "off", "multicast", "off", "promisc", "on", "up"], "")
        finally:
            _call("setns", self.inner, CLONE_NEWNET)
        self._drain()

    def _drain(self) -> None:
        while self._ready(0.01):
            for one in self._ready(0):
                one.recv(1 << 17)

    def _ready(self, wait_s: float) -> list[socket.socket]:
        return select.select([self.traces, self.outside], [], [], wait_s)[0]

    def send(self, job: dict) -> dict:  # type: ignore[type-arg]
        """Send one packet in, and tell what became of it."""
        before = counters()
        frame = bytes.fromhex(job["frame"])
        try:
            if job.get("own"):
                self._send_own(frame)
            else:
                self.outside.sendto(frame, (job["peer"], 0))
        except OSError as error:
            return {"problem": f"not sent: {error.strerror}"}
        traces: list[dict] = []  # type: ignore[type-arg]
        out: list[list[str]] = []
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE_S:
            ready = self._ready(QUIET_S if traces or out else 0.02)
            if not ready and (traces or out or counters() != before):
                break  # else a busy machine may not have looked at it yet
            for one in ready:
                if one is self.traces:
                    traces += traced(one.recv(1 << 17))
                else:
                    data, (name, _, kind, *_rest) = one.recvfrom(1 << 17)
                    if kind != PACKET_OUTGOING:
                        out.append([name, data.hex()])
        after = counters()
        moved = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
        return {"traces": traces, "out": out, "counters": moved}

    def shell(self, plan: dict) -> int:  # type: ignore[type-arg]
        """Plug in containers and a world that answers, and give somebody a shell in the host or a container."""
        spaces = {name: self._plugged_in(one) for name, one in plan["containers"].items()}
        self._world(plan["world"])
        if plan["shell"]:
            _call("setns", spaces[plan["shell"]], CLONE_NEWNET)
        print(plan["greeting"], file=sys.stderr, flush=True)
        return subprocess.run(plan["command"], check=False).returncode

    def _plugged_in(self, container: dict) -> int:  # type: ignore[type-arg]
        """Move an outer end into a namespace of its own, as a container's eth0; return the namespace."""
        _call("unshare", CLONE_NEWNET)
        space = os.open("/proc/self/ns/net", os.O_RDONLY)
        holder = os.fork()
        if holder == 0:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            while True:
                signal.pause()
        _call("setns", self.outer, CLONE_NEWNET)
        _run(["ip", "link", "set", "dev", container["peer"], "netns", str(holder), "name", "eth0"], "")
        _call("setns", space, CLONE_NEWNET)
        for words in (["ip", "link", "set", "dev", "lo", "up"], *container["commands"]):
            _run(words, "")
        _call("setns", self.inner, CLONE_NEWNET)
        return space

    def _world(self, commands: list) -> None:  # type: ignore[type-arg]
        """Let outside be everybody: it has every address that the host does not know better."""
        _call("setns", self.outer, CLONE_NEWNET)
        for words in commands:
            _run(words, "")
        _call("setns", self.inner, CLONE_NEWNET)

    @staticmethod
    def _send_own(packet: bytes) -> None:
        """Let the host send a packet itself, from the IP header on."""
        six = packet[0] >> 4 == 6
        with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            if six:
                raw.setsockopt(socket.IPPROTO_IPV6, 36, 1)  # IPV6_HDRINCL
                raw.sendto(packet, (socket.inet_ntop(socket.AF_INET6, packet[24:40]), 0))
            else:
                raw.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))


def _write(path: str, value: str) -> bool:
    try:
        Path(path).write_text(value, encoding="ascii")
    except OSError:
        return False
    return True


def _run(words: list[str], stdin: str) -> str:
    """Run a command; return what went wrong, empty if nothing did."""
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=COMMAND_S, check=False)
    except FileNotFoundError:
        return f"{words[0]} is missing"
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:100]
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[0][:160]


def handles() -> list:  # type: ignore[type-arg]
    """Return the handles of all rules, chain by chain, in order."""
    done = subprocess.run(["nft", "-j", "-a", "list", "ruleset"], capture_output=True, text=True, check=False)
    found: dict[tuple, list] = {}  # type: ignore[type-arg]
    for item in json.loads(done.stdout or '{"nftables": []}')["nftables"]:
        rule = item.get("rule")
        if rule is not None:
            found.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(rule["handle"])
    return list(found.items())


def counters() -> dict[str, int]:
    """Return the kernel's counters of this namespace, as nstat names them."""
    found: dict[str, int] = {}
    for path in COUNTED:
        try:
            lines = Path(path).read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        if path.endswith("snmp6"):
            found.update({name: int(value) for name, value in (line.split() for line in lines)})
            continue
        for names, values in zip(lines[::2], lines[1::2], strict=False):
            group, *words = names.split()
            found.update(
                {group[:-1] + word: int(value) for word, value in zip(words, values.split()[1:], strict=False)}
            )
    return found


def traced(data: bytes) -> list[dict]:  # type: ignore[type-arg]
    """Read messages of nfnetlink_trace (net/netfilter/nf_tables_trace.c): tables, chains, handles, verdicts."""
    found, place = [], 0
    while place + 20 <= len(data):
        (length,) = struct.unpack_from("=I", data, place)
        if length < 20:
            break
        found.append(_event(_attributes(data[place + 20 : place + length])))
        place += (length + 3) & ~3
    return found


def _attributes(data: bytes) -> dict[int, bytes]:
    found, place = {}, 0
    while place + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, place)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[place + 4 : place + length]
        place += (length + 3) & ~3
    return found


def _event(told: dict[int, bytes]) -> dict:  # type: ignore[type-arg]
    def number(kind: int, size: str = "!I") -> int | None:
        return struct.unpack(size, told[kind][: struct.calcsize(size)])[0] if kind in told else None

    def text(data: bytes | None) -> str | None:
        return None if data is None else data.rstrip(b"\0").decode("utf-8", "replace")

    verdict = _attributes(told[5]) if 5 in told else {}
    code = struct.unpack("!i", verdict[1])[0] if 1 in verdict else None
    return {
        "id": number(6), "family": number(15), "table": text(told.get(1)), "chain": text(told.get(2)),
        "handle": number(3, "!Q"), "type": number(4), "verdict": code, "jump": text(verdict.get(2)),
        "policy": number(16, "!i"), "iif": number(10), "oif": number(12),
        "network": told.get(8, b"").hex(),
    }  # fmt: skip


def serve(asked: int, told: int) -> None:
    """Build what the first line says, then send what each other line says; *asked* and *told* are open files."""
    with os.fdopen(asked, encoding="utf-8") as lines, os.fdopen(told, "w", encoding="utf-8") as out:
        try:
            lock_files()
            host = Host()
            plan = json.loads(next(lines))
            failed = host.build(plan)
        except OSError as error:
            print(json.dumps({"problem": str(error)}), file=out, flush=True)
            return
        built = {"failed": failed, "interfaces": dict(socket.if_nameindex()), "handles": handles()}
        print(json.dumps(built), file=out, flush=True)
        if "shell" in plan:
            sys.exit(host.shell(plan))
        for line in lines:
            print(json.dumps(host.send(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))

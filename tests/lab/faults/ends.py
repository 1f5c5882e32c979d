"""Faults of the ends: servers that refuse, are silent, or stop reading; names; checksums; captures with holes."""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.lab.commands import inside
from tests.lab.engine import GATEWAY, HOST2, UPLINK
from tests.lab.faults.acts import echo
from tests.lab.faults.world import (
    BRIDGE,
    HOST,
    INTERNET,
    IPV6,
    NETS,
    OTHER,
    OVERLAY,
    RESOLVER,
    USER,
    Act,
    Fault,
    Net,
    World,
    at,
    nft_at,
    nft_gone,
)  # fmt: skip


def _refused(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.remote, 81, "count=1")
    world.chat(net.client, "udp", net.remote, 9999, "count=1", "lossy=1")


def _refused_inside(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.server_ip, 8888, "count=1")


def _silent_remote(world: World, net: Net) -> None:
    nft_at(INTERNET, "input", "tcp dport 7 drop")


def _loud_remote(world: World, net: Net) -> None:
    nft_gone(INTERNET)


def _silent_server(world: World, net: Net) -> None:
    world.exec(net.server, "nft", "add table inet fault")
    world.exec(net.server, "nft", "add chain inet fault input { type filter hook input priority 0; }")
    world.exec(net.server, "nft", "add rule inet fault input tcp dport 80 drop")


def _loud_server(world: World, net: Net) -> None:
    world.exec(net.server, "nft", "delete table inet fault")


def _to_server(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.server_ip, 80, "count=1")


def _stalled(world: World, net: Net) -> None:
    world.background(world.in_container(net.server), "odd.py", "stall", "8070")
    world.sleep(0.5)
    world.script(world.in_container(net.client), "odd.py", "push", net.server_ip, "8070")


PEERS = (
    Fault("closed-port", "Nobody listens on the port outside: RST, and port unreachable.",
          frozenset({"connection-refused"}), _refused, nets=NETS),
    Fault("closed-port-inside", "Nobody listens on the other container's port.", frozenset({"connection-refused"}),
          _refused_inside, nets=NETS),
    Fault("silent-remote", "A firewall outside drops SYNs.", frozenset({"syn-unanswered"}), echo, _silent_remote,
          teardown=_loud_remote, nets=NETS, also=frozenset({"loss-beyond-host"})),
    Fault("silent-server", "The other container drops SYNs.", frozenset({"syn-unanswered"}), _to_server,
          _silent_server, teardown=_loud_server),
    Fault("stalled", "A server does not read what it gets.", frozenset({"zero-window"}), _stalled),
)  # fmt: skip


def _ask(*names: str, server: str = RESOLVER) -> Act:
    def act(world: World, net: Net) -> None:
        world.script(world.in_container(net.client), "names.py", "ask", server, *names)

    return act


def _race(world: World, net: Net) -> None:
    """Drop every AAAA question on its way out, as insert_failed does with the second of two at once."""
    nft_at(HOST, "forward", f"ip daddr {RESOLVER} udp dport 53 @th,256,16 0x001c drop")
    _ask("ok.example", "ok.example", "ok.example")(world, net)
    nft_gone(HOST)
    _ask("=ok.example")(world, net)


EMBEDDED = "127.0.0.11"
NAMES = (
    Fault("silent-resolver", "The name server never answers.", frozenset({"dns-unanswered"}),
          _ask("silent.example", "silent.example"), also=frozenset({"loss-beyond-host"})),
    Fault("failing-resolver", "The name server fails, and refuses.", frozenset({"dns-failed"}),
          _ask("servfail.example", "refused.example")),
    Fault("race", "Of two questions sent at once the second one is lost in the host.",
          frozenset({"loss-inside-host"}), _race, also=frozenset({"dns-unanswered"})),
    Fault("container-name", "A container on the default bridge asks a name server for another container.",
          frozenset({"container-name-unknown"}), _ask("web"), nets=(BRIDGE,)),
    Fault("container-name-apart", "A container asks Docker's name server for one on another network.",
          frozenset({"container-name-unknown"}), _ask("web", server=EMBEDDED), nets=(USER,), capture=("--inside",)),
    Fault("other-answerer", "A name server answers from another address than was asked.",
          frozenset({"dns-unanswered"}), _ask("elsewhere.example"), nets=(BRIDGE,),
          also=frozenset({"connection-refused", "loss-beyond-host"})),
    Fault("embedded", "Docker's own name server passes a failure on.", frozenset({"embedded-dns-failed"}),
          _ask("servfail.example", server=EMBEDDED), nets=(USER,), capture=("--inside",),
          also=frozenset({"dns-failed"})),
)  # fmt: skip


def _bad_sums(world: World, net: Net) -> None:
    for name in (net.client, net.server):
        world.exec(name, "ethtool", "-K", "eth0", "tx", "off")
    nft_at(HOST, "forward", f"iifname {net.bridge} tcp dport 7 tcp checksum set 0x1234")


def _good_sums(world: World, net: Net) -> None:
    nft_gone(HOST)
    for name in (net.client, net.server):
        world.exec(name, "ethtool", "-K", "eth0", "tx", "on")


def _to_overlay(world: World, net: Net) -> None:
    world.ping(net.client, net.server_ip, 3)
    world.chat(net.client, "tcp", net.server_ip, 80, "count=1")


def _large_in_overlay(world: World, net: Net) -> None:
    world.ping(net.client, net.server_ip, 2)
    world.ping(net.client, net.server_ip, 3, "-s", "1400", "-M", "do")


def _bad_outer(world: World, net: Net) -> None:
    """Spoil what comes from the other host; with offload, nobody would look at the checksum."""
    at(HOST2, "ethtool", "-K", UPLINK, "tx", "off")
    nft_at(GATEWAY, "forward", "ip saddr 192.168.2.100 udp dport 4789 udp checksum set 0x1234")


def _good_outer(world: World, net: Net) -> None:
    nft_gone(GATEWAY)
    at(HOST2, "ethtool", "-K", UPLINK, "tx", "on")


def _small_underlay(world: World, net: Net) -> None:
    nft_at(GATEWAY, "forward", "udp dport 4789 meta length > 1400 drop")


def _large_underlay(world: World, net: Net) -> None:
    nft_gone(GATEWAY)


WIRE = (
    Fault("bad-checksum", "Something in the host spoils TCP checksums.", frozenset({"bad-checksum"}), echo, _bad_sums,
          teardown=_good_sums, also=frozenset({"syn-unanswered", "loss-beyond-host"})),
    Fault("overlay-checksum", "VXLAN packets come with a wrong UDP checksum.", frozenset({"vxlan-checksum"}),
          _to_overlay, _bad_outer, teardown=_good_outer, nets=(OVERLAY,),
          also=frozenset({"syn-unanswered", "loss-beyond-host", "arp-unanswered"})),
    Fault("overlay-mtu", "The network below takes no VXLAN packets of more than 1,400 bytes, and does not say so.",
          frozenset({"vxlan-mtu"}), _large_in_overlay, _small_underlay, teardown=_large_underlay, nets=(OVERLAY,),
          also=frozenset({"loss-beyond-host"})),
    Fault("overlay-refused", "Nobody listens on the other container's port.", frozenset({"connection-refused"}),
          _refused_inside, nets=(OVERLAY,)),
    Fault("overlay-absent", "A container wants an address of the overlay that nobody has.",
          frozenset({"arp-unanswered"}),
          lambda world, net: world.ping(net.client, "10.30.0.99", 4), nets=(OVERLAY,)),
)  # fmt: skip


def _everything(world: World, net: Net) -> None:
    world.ping(net.client, net.remote, 10, "-i", "0.2")
    world.chat(net.client, "tcp", net.remote, 7, "count=6")


def _records(path: Path) -> tuple[bytes, list[bytes]]:
    """Return a pcap's header and its records."""
    data = path.read_bytes()
    found, place = [], 24
    while place < len(data):
        size = 16 + struct.unpack_from("<I", data, place + 8)[0]
        found.append(data[place : place + size])
        place += size
    return data[:24], found


def _cut(folder: Path) -> None:
    """Lose the end of the uplink's capture in the middle of a record, as a full disk does."""
    path = folder / "wlan0.pcap"
    path.write_bytes(path.read_bytes()[:-30])


def _hole(folder: Path) -> None:
    """Lose the middle of the bridge's capture, as when one of several files is missing."""
    path = next(path for path in folder.glob("*.pcap") if path.stem in {BRIDGE.bridge, USER.bridge, IPV6.bridge})
    header, records = _records(path)
    third = len(records) // 3
    path.write_bytes(header + b"".join(records[:third] + records[-third:]))


CAPTURES = (
    Fault("cut-capture", "The uplink's capture ends in the middle of a record.", frozenset({"capture-loss"}),
          _everything, spoil=_cut),
    Fault("hole", "The middle of the bridge's capture is missing.", frozenset({"capture-gap"}), _everything,
          spoil=_hole),
)  # fmt: skip


def healthy(world: World, net: Net) -> None:
    """Everything that works, once."""
    world.ping(net.client, net.remote, 3)
    world.ping(net.client, net.server_ip, 2)
    world.chat(net.client, "tcp", net.remote, 7, "count=3", "size=600", "answer=600")
    world.chat(net.client, "tcp", net.server_ip, 80, "count=2")
    world.chat(net.client, "tcp", net.remote, 7, "count=2", "size=30000", "answer=30000")
    world.chat(net.client, "udp", net.remote if net is IPV6 else "203.0.113.53", 53, "count=3")
    world.chat_from(inside(INTERNET), "tcp", net.host, net.port, "count=2")
    if net is not IPV6:
        _ask("ok.example")(world, net)


def _busy(world: World, net: Net) -> None:
    for _ in range(3):
        healthy(world, net)
        healthy(world, OTHER[net])


def _midstream_client(world: World, net: Net) -> None:
    world.background(world.in_container(net.client), "odd.py", "slow", net.remote, "7", "12")
    world.sleep(1)


def _midstream(world: World, net: Net) -> None:
    world.sleep(1.5)


def _without(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        for path in folder.glob("*.pcap"):
            if name in path.stem:
                path.unlink()

    return spoil


NONE: frozenset[str] = frozenset()
HEALTHY = (
    Fault("idle", "Nothing happens.", NONE, lambda world, net: world.sleep(2), nets=(BRIDGE,)),
    Fault("healthy", "Everything works.", NONE, healthy, nets=NETS),
    Fault("busy", "Much of everything works.", NONE, _busy, also=frozenset({"nat-port-rewritten"}), nets=(BRIDGE,)),
    Fault("mid-stream", "Captures begin and end in the middle of a connection.", NONE, _midstream,
          warm=_midstream_client, nets=NETS),
    Fault("no-veths", "Only the bridge and the uplink were captured.", NONE, healthy, spoil=_without("veth")),
    Fault("no-bridge", "Only the veths and the uplink were captured.", NONE, healthy, spoil=_without(BRIDGE.bridge),
          nets=(BRIDGE,)),
    Fault("no-uplink", "Only the veths and the bridge were captured.", NONE, healthy, spoil=_without("wlan0")),
    Fault("overlay-healthy", "Everything works on the overlay.", NONE, _to_overlay, nets=(OVERLAY,)),
)  # fmt: skip

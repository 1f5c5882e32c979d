"""What happens while one looks on, and what routers do: containers that end, connections that somebody forgets."""

import subprocess

from tests.lab.engine import GATEWAY, HOST
from tests.lab.faults.acts import both, echo, rule
from tests.lab.faults.behind import PEERS
from tests.lab.faults.common import PUBLIC
from tests.lab.faults.ways import large, large_segments, small
from tests.lab.faults.world import BRIDGE, RESOLVER, USER, Act, Fault, Net, World, at, nft_at, nft_gone

PORT = "7000"
TRACKED = ("net.netfilter.nf_conntrack_tcp_timeout_established", "net.netfilter.nf_conntrack_tcp_loose")


def _serving(world: World, net: Net) -> None:
    world.start_server(world.in_container("twin"), "tcp", PORT)


def _killed(world: World, net: Net) -> None:
    """Kill a server amid a connection: nobody says goodbye."""
    asked = (*world.in_container(net.client), "python3", str(PEERS), "talk", "tcp", world.address_of("twin", net), PORT)
    talk = subprocess.Popen([*asked, "abort=1", "count=2", "rest=1500", "lossy=1"], stdin=subprocess.DEVNULL)
    world.sleep(0.8)
    world.docker("kill", "twin")
    talk.wait(20)


def _killed_unasked(world: World, net: Net) -> None:
    """Kill a container of which nobody wants anything."""
    world.chat(net.client, "tcp", world.address_of("twin", net), int(PORT), "count=1")
    world.docker("kill", "twin")
    world.sleep(0.5)
    echo(world, net)


def _anew(world: World, net: Net) -> None:
    world.remove_container("twin")
    world.run_on(net, "twin")


def _forgetful(world: World, net: Net) -> None:
    """Let the router forget connections after two seconds, and drop what it does not know."""
    at(GATEWAY, "sysctl", "-qw", f"{TRACKED[0]}=2", f"{TRACKED[1]}=0")
    nft_at(GATEWAY, "forward", "ct state invalid drop")


def _mindful(world: World, net: Net) -> None:
    nft_gone(GATEWAY)
    at(GATEWAY, "sysctl", "-qw", f"{TRACKED[0]}=432000", f"{TRACKED[1]}=1")


def _rests(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.remote, 7, "count=2", "rest=4000", "lossy=1")


def _own_public_address(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", PUBLIC, net.port, "count=1", "lossy=1")


def _mute(how: str) -> Act:
    def act(world: World, net: Net) -> None:
        world.background(world.in_container(net.server), "mute.py", how, PORT)
        world.sleep(0.3)

    return act


def _asks_mute(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.server_ip, int(PORT), "count=1", "lossy=1")


def _asks_for(*names: str) -> Act:
    def act(world: World, net: Net) -> None:
        world.script(world.in_container(net.client), "names.py", "ask", RESOLVER, *names)

    return act


def _looks_around(world: World, net: Net) -> None:
    world.script(world.in_container(net.client), "mute.py", "look")


def _off(world: World, net: Net) -> None:
    at(HOST, "ip", "link", "set", world.host_veth(net.client), "nomaster")


def _on(world: World, net: Net) -> None:
    at(HOST, "ip", "link", "set", world.host_veth(net.client), "master", net.bridge)


_NO_ICMP = rule("DOCKER-USER", "-p", "icmp", "-j", "DROP")

MEANWHILE = (
    Fault("killed-meanwhile", "A server's container is killed amid a connection.", frozenset({"container-ended"}),
          _killed, _serving, teardown=_anew, third=True,
          also=frozenset({"arp-unanswered", "capture-loss"})),
    Fault("ended-unasked", "A container ends of which nobody wants anything any more.", frozenset(), _killed_unasked,
          _serving, teardown=_anew, nets=(BRIDGE,), third=True, also=frozenset({"capture-loss"})),
    Fault("forgotten-outside", "The router forgets a connection that rests, and drops what comes then.",
          frozenset({"connection-goes-silent"}), _rests, _forgetful, teardown=_mindful),
    Fault("refused-by-router", "A container asks for the router's public address, where the port is not forwarded.",
          frozenset({"connection-refused"}), _own_public_address),
    Fault("icmp-errors-dropped", "The way takes 1,300 bytes, and a rule of the host drops the router's word for it.",
          frozenset({"mtu-exceeded"}), large_segments, both(small(silent=False), _NO_ICMP[0]),
          teardown=both(large, _NO_ICMP[1]), also=frozenset({"filtered-by-rule"})),
    Fault("closes-at-once", "A server closes what it accepts.", frozenset({"request-unanswered"}), _asks_mute,
          _mute("close")),
    Fault("resets-requests", "A server resets connections after the first request.",
          frozenset({"request-unanswered"}), _asks_mute, _mute("reset")),
    Fault("hangs", "A server takes requests, and does not answer.", frozenset({"request-unanswered"}), _asks_mute,
          _mute("hang"), nets=(BRIDGE,)),
    Fault("no-address", "A name server has no address for a name.", frozenset({"no-address-for-name"}),
          _asks_for("none.example", "ok.example"), nets=(USER,)),
    Fault("blocked-name", "A name server answers 0.0.0.0, as blocklists do.", frozenset({"no-address-for-name"}),
          _asks_for("blocked.example", "ok.example"), nets=(USER,)),
    Fault("off-the-bridge", "A container's veth is no port of its bridge, and the host answers its ARP all the same.",
          frozenset({"veth-off-the-bridge"}), echo, _off, teardown=_on,
          also=frozenset({"arp-unanswered", "filtered-by-rule"})),
    Fault("looks-around", "A container asks for services by mDNS.", frozenset({"multicast-stays-inside"}),
          _looks_around),
)  # fmt: skip

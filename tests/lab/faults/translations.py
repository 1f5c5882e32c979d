"""Faults of translation and of conntrack: missing, wrong, outlived, in the way, full."""

from tests.lab.commands import inside, run
from tests.lab.engine import UPLINK
from tests.lab.faults.acts import echo, from_outside, rule
from tests.lab.faults.world import (
    BRIDGE,
    INTERNET,
    IPV6,
    NETS,
    Act,
    Fault,
    Net,
    World,
    host,
)  # fmt: skip

BROKEN_TCP = frozenset({"syn-unanswered", "loss-inside-host"})


def _unmasquerade(world: World, net: Net) -> None:
    host(net.tables, "-w", "-t", "nat", "-D", "POSTROUTING", "-s", net.subnet, "!", "-o", net.bridge, "-j",
         "MASQUERADE")  # fmt: skip


def _masquerade(world: World, net: Net) -> None:
    host(net.tables, "-w", "-t", "nat", "-I", "POSTROUTING", "-s", net.subnet, "!", "-o", net.bridge, "-j",
         "MASQUERADE")  # fmt: skip


def _all_ways_out(world: World, net: Net) -> None:
    world.ping(net.client, net.remote, 2)
    echo(world, net)
    world.chat(net.client, "udp", "203.0.113.53" if net is not IPV6 else net.remote, 53, "count=2", "lossy=1")


def _publishing(net: Net) -> tuple[str, ...]:
    return ("DOCKER", "!", "-i", net.bridge, "-p", "tcp", "-m", "tcp", "--dport", str(net.port), "-j", "DNAT",
            "--to-destination", f"{net.server_ip}:80")  # fmt: skip


def _unpublish(world: World, net: Net) -> None:
    host(net.tables, "-w", "-t", "nat", "-D", *_publishing(net))


def _publish(world: World, net: Net) -> None:
    host(net.tables, "-w", "-t", "nat", "-A", *_publishing(net))


def _unproxied(world: World, net: Net) -> None:
    _unpublish(world, net)
    world.signal_proxy(net.port, "STOP")


def _proxied(world: World, net: Net) -> None:
    _publish(world, net)
    world.signal_proxy(net.port, "CONT")


LEAVE, COME = frozenset({"masquerade-missing"}), frozenset({"published-port-not-translated"})
TRANSLATED = (
    Fault("no-masquerade", "Docker's MASQUERADE rule is gone.", LEAVE, _all_ways_out, _unmasquerade,
          teardown=_masquerade),
    Fault("no-dnat", "Docker's DNAT rule is gone; docker-proxy answers instead.", COME, from_outside, _unpublish,
          teardown=_publish, also=frozenset({"docker-proxy-in-path"})),
    Fault("no-dnat-no-proxy", "Docker's DNAT rule is gone, and docker-proxy hangs.", COME, from_outside, _unproxied,
          teardown=_proxied, nets=(BRIDGE,)),
)  # fmt: skip


def _stray_reset(world: World, net: Net) -> None:
    world.script(
        world.in_container(net.client), "odd.py", "reset", net.client_ip, "198.51.100.80", "40555", "7"
    )  # fmt: skip
    echo(world, net)


def _loose(value: str) -> Act:
    def act(world: World, net: Net) -> None:
        host("sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_loose={value}")

    return act


def _forgotten(world: World, net: Net) -> None:
    """Have conntrack forget a connection that goes on; without tcp_loose it does not take it up again."""
    client = world.background(world.in_container(net.client), "odd.py", "slow", "198.51.100.80", "7", "4")
    world.sleep(0.5)
    host("conntrack", "-F", check=False)
    client.wait(timeout=20)


def _old_flow(world: World, net: Net) -> None:
    _unmasquerade(world, net)
    _flow(world, net)
    _masquerade(world, net)


def _flow(world: World, net: Net) -> None:
    world.script(world.in_container(net.client), "odd.py", "flow", "203.0.113.53", "53", "40777", "4")


def _old_target(world: World, net: Net) -> None:
    """Publish the port to an address where nobody is, let a client talk to it, and publish it rightly again."""
    wrong, pass_ = _udp_rule(net, "172.17.0.77"), ("DOCKER-USER", "-d", "172.17.0.77", "-j", "ACCEPT")
    host("iptables", "-w", "-t", "nat", "-I", *wrong)
    host("iptables", "-w", "-I", *pass_)
    _udp_client(world, net)
    host("iptables", "-w", "-t", "nat", "-D", *wrong)
    host("iptables", "-w", "-D", *pass_)


def _udp_rule(net: Net, target: str) -> tuple[str, ...]:
    return ("DOCKER", "!", "-i", net.bridge, "-p", "udp", "--dport", "5353", "-j", "DNAT", "--to-destination",
            f"{target}:53")  # fmt: skip


def _udp_client(world: World, net: Net) -> None:
    world.script(inside(INTERNET), "odd.py", "flow", "192.168.1.100", "5353", "40778", "4")


def _narrow_rule(net: Net) -> tuple[str, ...]:
    return ("POSTROUTING", "-s", net.subnet, "-o", UPLINK, "-p", "udp", "-j", "SNAT", "--to-source",
            "192.168.1.100:40000-40001")  # fmt: skip


def _narrow(world: World, net: Net) -> None:
    host("iptables", "-w", "-t", "nat", "-I", *_narrow_rule(net))


def _wide(world: World, net: Net) -> None:
    host("iptables", "-w", "-t", "nat", "-D", *_narrow_rule(net))


def _many_flows(world: World, net: Net) -> None:
    for port in range(41000, 41005):
        world.script(world.in_container(net.client), "odd.py", "flow", "203.0.113.53", "53", str(port), "1")


def _same_ports(world: World, net: Net) -> None:
    for container in (net.client, net.server):
        world.chat(container, "udp", "203.0.113.53", 53, "source=40100", "count=2")


_hide, _show = rule("POSTROUTING", "-o", "NET:bridge", "-j", "MASQUERADE", table="nat")
_pin = ("PREROUTING", "-d", "192.168.1.100", "-p", "tcp", "--dport", "8090", "-j", "DNAT", "--to-destination")


def _hairpin(world: World, net: Net) -> None:
    host("iptables", "-w", "-t", "nat", "-I", *_pin, f"{net.server_ip}:80")
    host("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0")


def _no_hairpin(world: World, net: Net) -> None:
    host("iptables", "-w", "-t", "nat", "-D", *_pin, f"{net.server_ip}:80")
    host("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1")


def _self(world: World, net: Net) -> None:
    host("iptables", "-w", "-t", "nat", "-I", *_pin, f"{net.server_ip}:80")


def _no_self(world: World, net: Net) -> None:
    host("iptables", "-w", "-t", "nat", "-D", *_pin, f"{net.server_ip}:80")


def _by_host_address(container: str) -> Act:
    def act(world: World, net: Net) -> None:
        world.chat(getattr(net, container), "tcp", "192.168.1.100", 8090, "count=1")

    return act


def _by_proxy(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.host, net.port, "count=2")


def _overshoot(world: World, net: Net) -> None:
    """Send the server's next answer a second time, far out of the window."""
    world.background(inside(INTERNET), "odd.py", "overshoot", "198.51.100.80", "7")
    world.sleep(0.3)
    world.script(world.in_container(net.client), "odd.py", "slow", "198.51.100.80", "7", "3")


def _full(world: World, net: Net) -> None:
    """The limit is the machine's, not a namespace's: it must not go below what the machine itself needs."""
    run("sysctl", "-qw", f"net.netfilter.nf_conntrack_max={FEW}")
    world.background(inside(INTERNET), "odd.py", "crowd", net.host, str(net.port), str(FEW + 20))
    world.sleep(2)


def _emptied(world: World, net: Net) -> None:
    run("sysctl", "-qw", "net.netfilter.nf_conntrack_max=262144")


FEW = 60

TRACKED = (
    Fault("stray-reset", "A container resets a connection that conntrack has forgotten; INVALID is not translated.",
          frozenset({"untranslated-source-leak"}), _stray_reset),
    Fault("forgotten", "conntrack forgets a connection that goes on, and does not take it up again.",
          frozenset({"untranslated-source-leak"}), _forgotten, _loose("0"), teardown=_loose("1"), nets=(BRIDGE,),
          also=frozenset({"loss-beyond-host"})),
    Fault("old-flow", "A UDP flow that began while MASQUERADE was missing: its entry stays as it was.",
          frozenset({"stale-conntrack"}), _flow, warm=_old_flow),
    Fault("old-target", "A UDP flow that began while the port was published to another address.",
          frozenset({"stale-conntrack"}), _udp_client, warm=_old_target, nets=(BRIDGE,),
          also=frozenset({"arp-unanswered", "host-unreachable", "loss-inside-host"})),
    Fault("few-ports", "SNAT has two ports for five flows.", frozenset({"nat-clash"}), _many_flows, _narrow,
          teardown=_wide),
    Fault("same-ports", "Two containers use one source port to one server.", frozenset({"nat-port-rewritten"}),
          _same_ports),
    Fault("hidden-client", "What comes for containers is masqueraded as well.", frozenset({"client-address-hidden"}),
          from_outside, _hide, teardown=_show),
    Fault("no-hairpin", "The port's DNAT works inside, too, but answers go straight back over the bridge.",
          frozenset({"hairpin-broken"}), _by_host_address("client"), _hairpin, teardown=_no_hairpin, nets=(BRIDGE,)),
    Fault("self-hairpin", "A container uses its own published port, and its bridge port has no hairpin mode.",
          frozenset({"hairpin-broken"}), _by_host_address("server"), _self, teardown=_no_self),
    Fault("by-proxy", "A container uses a published port by the host's address: docker-proxy is in between.",
          frozenset({"docker-proxy-in-path"}), _by_proxy, nets=NETS),
    Fault("overshoot", "Answers are out of the window: INVALID is not translated back, and the host resets.",
          frozenset({"conntrack-invalid-reset"}), _overshoot, also=frozenset({"loss-beyond-host"})),
    Fault("table-full", "conntrack's table is full.", frozenset({"conntrack-full"}), echo, warm=_full,
          teardown=_emptied, also=BROKEN_TCP),
)  # fmt: skip

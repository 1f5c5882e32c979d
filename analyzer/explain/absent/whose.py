"""Whose address it is: the host's own, or nobody's."""

from collections.abc import Iterator
from shlex import quote

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.told import Facts
from analyzer.state.routing import Sought, choose
from analyzer.state.sysctl import reverse_path, sysctl, sysctl_line

STRICT = 1
"""Of rp_filter (ip-sysctl.rst)."""
MOST_MEMBERS = 8
SPARE = 254
"""Addresses above those in use that containers that are gone may have had."""

NDP_NEEDS = ("neighbour-solicitation", "neighbour-advertisement", "packet-too-big")
"""What RFC 4890 says must not be dropped, by ip6tables' names; pings may well be."""


def own(asked: Asked) -> Iterator[Why]:
    """Look at the host, whose own address it is, or was."""
    host = asked.host
    link = next((link for link in host.links if asked.ip in link.addresses), None)
    if link is not None:
        if link.down:
            yield Why({"why": "own-down", "link": link.name, "commands": [f"ip link set {quote(link.name)} up"]},
                      (f"ip-addr.json: {link.name}",))  # fmt: skip
        names = [f"net.ipv4.conf.{name}.arp_ignore" for name in ("all", link.name)]
        ignore = max(names, key=lambda name: sysctl(host, name) or 0)
        if asked.ip.version == 4 and (sysctl(host, ignore) or 0) > 2:
            yield Why({"why": "arp-ignore", "setting": ignore, "commands": [f"sysctl -w {quote(ignore)}=0"]},
                      (sysctl_line(host, ignore),))  # fmt: skip
        yield from _unheard(asked)
        yield from _filtered(asked)
        return
    yield from _published(asked)
    network = next((n for n in host.networks if asked.ip in n.gateways and n.driver == "bridge"), None)
    bridge = host.link(network.bridge) if network is not None and network.bridge is not None else None
    if network is not None and bridge is not None and network.inhibited:
        yield Why(
            {"why": "inhibited", "link": bridge.name, "network": network.name},
            (f"docker-network-inspect.json: {network.name} inhibit_ipv4 = true, gateway {asked.ip}",),
        )


def _filtered(asked: Asked) -> Iterator[Why]:
    """Look whether the host would answer whoever asks by another interface only (net/ipv4/arp.c, ip_route_input)."""
    question, host = asked.question, asked.host
    point = asked.case.point_named(question.point)
    dev, asker = point.interface or point.name, question.asker_ip
    mode = reverse_path(host, dev)
    chosen = choose(host, Sought(asker)) if asker is not None and asker.version == 4 and host.routes else None
    if mode is None or mode.value != STRICT or chosen is None or dev in chosen.route.devices:
        return
    facts: Facts = {
        "why": "filtered", "link": dev, "asker": str(asker), "other": chosen.route.dev or "",
        "commands": [f"sysctl -w {quote(name)}=2" for name in mode.names],
    }  # fmt: skip
    yield Why(facts, (*(sysctl_line(host, name) for name in mode.names), f"ip-route.json: {chosen.route.text}"))


def _published(asked: Asked) -> Iterator[Why]:
    """Look whether a container is published on it, which Docker does on an address that is nowhere if it may."""
    found = ((c, port) for c in asked.host.containers for port in c.ports if port.address == asked.ip)
    container, port = next(found, (None, None))
    if container is None or port is None:
        return
    facts: Facts = {"why": "published", "container": container.name, "port": port.text}
    way = next((r for r in asked.host.routes if r.gateway is None and asked.ip in r.dst and r.dst.prefixlen), None)
    if way is not None and way.dev is not None and way.kind == "unicast":
        facts["commands"] = [f"ip addr add {asked.ip}/{way.dst.prefixlen} dev {quote(way.dev)}"]
    yield Why(facts, (f"docker-inspect.json: {container.name} {port.text}",))


def _unheard(asked: Asked) -> Iterator[Why]:
    """Look whether the host's own rules keep the question from it: of NDP, which is ICMPv6, and passes INPUT."""
    question = asked.question
    if question.protocol != "ndp" or question.asker_ip is None:
        return
    stopped = asked.case.tracer.prover.solicited(question.asker_ip, asked.ip)
    if stopped is not None and not stopped.unknown:
        facts: Facts = {
            "why": "unheard", "cause": stopped.text,
            "commands": [f"ip6tables -w -I INPUT -p ipv6-icmp --icmpv6-type {kind} -j ACCEPT" for kind in NDP_NEEDS],
        }  # fmt: skip
        yield Why(facts, stopped.proof)


def nobody(asked: Asked) -> Iterator[Why]:
    """Look whether anybody has it at all, in a network that Docker gives the addresses of."""
    host = asked.host
    network = next((n for n in host.networks if n.holds(asked.ip)), None)
    if asked.owner is not None or host.owns(asked.ip) or network is None or network.driver != "bridge":
        return
    stopped = sorted({
        f"{c.name} ({c.status.text}{'' if c.status.exit_code is None else f' {c.status.exit_code}'})"
        for c in host.containers
        if c.network == network.name and c.status.text in ("exited", "created", "dead", "restarting")
    })  # fmt: skip
    subnet = next(s for s in network.subnets if asked.ip in s)
    running = sum(one.network == network.name for one in host.containers)
    # Docker gives the lowest addresses that are free.
    far = not stopped and int(asked.ip) - int(subnet.network_address) > running + SPARE
    members = sorted(f"{c.name} {ip}" for c in host.containers if c.network == network.name for ip in c.addresses
                     if ip.version == asked.ip.version)  # fmt: skip
    facts: Facts = {
        "members": members[:MOST_MEMBERS],
        "why": "nobody",
        "network": network.name,
        "stopped": stopped[:5],
        "subnet": str(subnet),
        "far": far,
    }
    yield Why(facts, (f"docker-inspect.json: no container has {asked.ip}",))

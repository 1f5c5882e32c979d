"""The host does not forward packets."""

from collections.abc import Iterator
from dataclasses import replace

from analyzer.explain.case import Case
from analyzer.explain.edits import Fix, with_settings
from analyzer.explain.fates import Stopped
from analyzer.explain.fixes import ip_version, setting
from analyzer.explain.host.asked import Host
from analyzer.explain.host.networks import bridges, inside
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.remedy import unblocked
from analyzer.explain.stopped import by_cause
from analyzer.explain.told import Facts, Told
from analyzer.model import HostState, Network, Severity
from analyzer.state.sysctl import forwards, sysctl, sysctl_line

SWITCHES = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}


def causes(case: Case) -> Iterator[Cause]:
    """Give what arrived where forwarding is off."""
    yield from by_cause(case, HYPOTHESIS.name, _describe)


def state(host: Host) -> Iterator[Told]:
    """Tell where forwarding is off, of all interfaces or of one, and a network needs it."""
    for version, whole in SWITCHES.items():
        needs = [pair for pair in bridges(host.state) if _has(pair[0], version)]
        if needs and sysctl(host.state, whole) == 0:
            yield _off(host, version, whole, needs[0][0])
            continue
        for network, bridge in needs:
            one = forwards(host.state, version, bridge.name)
            if one is not None and not one.on and one.name != whole:
                yield _off(host, version, one.name, network, bridge.name)


def _off(host: Host, version: int, name: str, network: Network, bridge: str = "") -> Told:
    facts: Facts = {"version": version, "network": network.name, "settings": [name]}
    if bridge:
        facts["bridge"] = bridge
    return Told(facts, proof=(sysctl_line(host.state, name),))


def _has(network: Network, version: int) -> bool:
    """Tell whether it has addresses of a version; version 4 where no subnet was recorded."""
    return inside(network, version) is not None or (version == 4 and not network.subnets)


def _describe(case: Case, stopped: Stopped) -> Told:
    names, host = stopped.cause.settings, stopped.host
    if not names:
        return Told({"settings": []})
    whole = SWITCHES[ip_version(case, stopped.packets[0])]
    if sysctl(host, whole) != 0 or whole in names:
        told = unblocked(case, stopped.packets[0], setting(names, "1"))
        told.facts["settings"] = list(names)
        return told
    told = unblocked(case, stopped.packets[0], _everywhere(host, whole))
    told.facts["settings"] = [whole]
    return replace(told, proof=(sysctl_line(host, whole),))


def _everywhere(host: HostState, name: str) -> Fix:
    """Switch it on for all interfaces: writing the one for all writes each one's (inet_forward_change())."""
    each = [one for one in host.sysctls if one.startswith("net.ipv4.conf.") and one.endswith(".forwarding")]
    return Fix(f"sysctl -w {name}=1", with_settings(dict.fromkeys([name, *each], "1")))


HYPOTHESIS = Hypothesis(
    "forwarding-disabled",
    Severity.ERROR,
    "sysctl.txt, ip-route.json",
    "Packets came in by an interface on which forwarding is switched off.",
    "sysctl -w net.ipv4.ip_forward=1",
    causes,
    Specific.SETTING,
    state=state,
    asks="sysctl net.ipv4.conf.all.forwarding, and nstat IpInAddrErrors before and after",
)

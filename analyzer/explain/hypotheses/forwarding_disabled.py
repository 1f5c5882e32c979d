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
from analyzer.model import HostState, Severity
from analyzer.state.sysctl import sysctl, sysctl_line

SWITCHES = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}


def causes(case: Case) -> Iterator[Cause]:
    """Give what arrived where forwarding is off."""
    yield from by_cause(case, HYPOTHESIS.name, _describe)


def state(host: Host) -> Iterator[Told]:
    """Tell where forwarding is off, and a network needs it."""
    networks = [network for network, _ in bridges(host.state)]
    for version, name in SWITCHES.items():
        unknown = version == 4  # where no subnet was recorded
        needs = [n.name for n in networks if inside(n, version) is not None or (unknown and not n.subnets)]
        if sysctl(host.state, name) == 0 and needs:
            facts: Facts = {"version": version, "network": needs[0], "settings": [name]}
            yield Told(facts, proof=(sysctl_line(host.state, name),))


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

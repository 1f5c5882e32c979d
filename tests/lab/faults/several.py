"""Hosts with several things wrong at once, and with harmless oddities amid them: each is to be told."""

from functools import reduce

from tests.lab.faults.acts import both
from tests.lab.faults.ends import CAPTURES, HEALTHY, NAMES, PEERS, WIRE
from tests.lab.faults.rare import QUIET, RARE
from tests.lab.faults.rules import FILTERED, ISOLATED
from tests.lab.faults.segments import LOST, NEIGHBOURS
from tests.lab.faults.translations import TRACKED, TRANSLATED
from tests.lab.faults.ways import ENDED, FITTED, FORWARDED, ROUTED
from tests.lab.faults.world import BRIDGE, Fault

_KNOWN = {
    fault.name: fault
    for fault in (
        *FILTERED, *ISOLATED, *TRANSLATED, *TRACKED, *FORWARDED, *ROUTED, *ENDED, *FITTED, *NEIGHBOURS, *LOST, *PEERS,
        *NAMES, *WIRE, *CAPTURES, *RARE, *HEALTHY, *QUIET,
    )
}  # fmt: skip


def together(*names: str) -> Fault:
    """Return a fault that is all of these, set up in order, tried in order, and undone the other way round."""
    faults = [_KNOWN[name] for name in names]
    return Fault(
        "-and-".join(names),
        "; ".join(fault.about for fault in faults),
        frozenset[str]().union(*(fault.expect for fault in faults)),
        reduce(both, (fault.act for fault in faults)),
        setup=reduce(both, (fault.setup for fault in faults)),
        warm=reduce(both, (fault.warm for fault in faults)),
        teardown=reduce(both, (fault.teardown for fault in reversed(faults))),
        also=frozenset[str]().union(*(fault.also for fault in faults)),
        nets=(BRIDGE,),
        third=any(fault.third for fault in faults),
    )


SEVERAL = tuple(together(*names.split()) for names in (
    "docker-user failing-resolver",
    "docker-user silent-server",
    "drop-rule closed-port",
    "reject-rule absent",
    "native-rule small-path",
    "input-rule closed-port-inside",
    "other-network closed-port",
    "other-network silent-resolver",
    "vanishing-rule small-path",
    "vanishing-answers closed-port",
    "lossy-internet docker-user",
    "lossy-internet small-path",
    "lossy-internet vanishing-rule",
    "no-dnat failing-resolver",
    "self-hairpin closed-port",
    "remote-unreachable drop-rule",
    "traceroute docker-user",
    "absent-beyond silent-server",
    "blackhole closed-port-inside",
    "every-third lossy-internet",
    "docker-user other-network small-path",
    "closed-port silent-server failing-resolver",
    "output-rule traceroute small-path",
    "strange-source docker-user",
))  # fmt: skip

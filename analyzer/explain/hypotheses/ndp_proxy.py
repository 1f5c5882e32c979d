"""A router asks on the LAN for a container's IPv6 address, and nobody answers: the host would have to (proxy_ndp)."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Told
from analyzer.model import ArpExchange, Basis, Container, Evidence, Role, Severity
from analyzer.schema import Addresses
from analyzer.state.sysctl import sysctl, sysctl_line


def causes(case: Case) -> Iterator[Cause]:
    """Give each container that is asked for at an uplink in vain."""
    for exchange in case.exchanges:
        point = case.point_named(exchange.point)
        host = case.hosts[point.host]
        owner = host.container_of_address(exchange.asked_ip)
        foreign = exchange.asker not in case.context.host_macs
        vain = exchange.answer_mac is None and exchange.protocol == "ndp" and point.role is Role.UPLINK
        if vain and foreign and owner is not None:
            of = Addresses.of(case.context.connections, "orig_src").are(int(exchange.asked_ip))
            ill = np.flatnonzero((case.symptom >= 0) & np.append(of, False)[case.connection])
            packets = {*case.towards([exchange.asked_ip]), *ill.tolist()}
            packets.add(case.asking[exchange.point, exchange.request_frame])
            key = exchange.point, exchange.request_frame
            yield Cause(sorted(packets), partial(_tell, case, exchange, owner), Basis.STATED, key)


def _tell(case: Case, exchange: ArpExchange, owner: Container, packets: list[int]) -> Told:
    point = case.point_named(exchange.point)
    host, device = case.hosts[point.host], point.interface or point.name
    name = f"net.ipv6.conf.{device}.proxy_ndp"
    return Told(
        {
            "container": owner.name, "address": str(exchange.asked_ip), "asker": str(exchange.asker_ip or ""),
            "where": exchange.point, "who": [owner.name],
            "commands": [f"sysctl -w {quote(name)}=1",
                         f"ip -6 neigh add proxy {exchange.asked_ip} dev {quote(device)}"],
        },
        evidence=(Evidence(exchange.point, exchange.request_frame),),
        proof=(sysctl_line(host, name),) if sysctl(host, name) is not None else (),
    )  # fmt: skip


HYPOTHESIS = Hypothesis(
    "ndp-proxy-missing",
    Severity.ERROR,
    "captures, docker-inspect.json (sysctl.txt)",
    "A router asks for a container's IPv6 address on the LAN, where only the host could answer, and nobody does.",
    "Answer for it (proxy_ndp, ndppd), or have a prefix of its own routed to this host, or masquerade.",
    causes,
    Specific.ROOT,
)

"""A container is paused: its kernel still takes connections and data, and no program ever answers."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

import numpy as np

from analyzer.decode.offsets import PROTO_TCP
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Told
from analyzer.model import Basis, Container, Severity
from analyzer.schema import Addresses, Int64

PAUSED = "paused"


def causes(case: Case) -> Iterator[Cause]:
    """Give each paused container to which somebody sent data that nobody answered with any."""
    for host in case.hosts.states:
        for container in host.containers:
            if container.status.text == PAUSED and container.addresses:
                packets = _in_vain(case, container)
                if len(packets):
                    key = host.name, container.name
                    yield Cause(packets.tolist(), partial(_tell, container), Basis.STATED, key)


def _in_vain(case: Case, container: Container) -> Int64:
    """Return the packets of connections to a container that never sent data back."""
    servers = Addresses.of(case.context.connections, "reply_src").among([int(ip) for ip in container.addresses])
    known = (case.connection >= 0) & (case.first("proto") == PROTO_TCP)
    data = known & (case.first("payload_len") > 0)
    answered = np.unique(case.connection[data & case.reply])
    asked = np.append(servers, False)[case.connection] & known & ~case.reply
    return np.flatnonzero(asked & ~np.isin(case.connection, answered))


def _tell(container: Container, packets: list[int]) -> Told:
    return Told(
        {"container": container.name, "commands": [f"docker unpause {quote(container.name)}"]},
        proof=(f"docker-inspect.json: {container.name} {PAUSED}",),
    )


HYPOTHESIS = Hypothesis(
    "container-paused",
    Severity.ERROR,
    "docker-inspect.json, captures",
    "Somebody talks to a container that is paused: its kernel takes connections and data, and nothing answers.",
    "docker unpause NAME; see who pauses it.",
    causes,
    Specific.ROOT,
)

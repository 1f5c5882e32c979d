"""Which program joins two connections: by the sockets that the host has for it."""

from collections.abc import Sequence

from analyzer.model import FlowTuple, HostState

USER_MODE = ("pasta", "passt", "slirp4netns", "gvproxy")
"""Programs that are a container's whole network: they open a socket of the host's for each of its connections."""


def relay_of(host: HostState, flows: Sequence[FlowTuple], *, user_mode: bool) -> str | None:
    """
    Return its name; None where nobody listens for what came, or that was not recorded.

    Of connections that a container opens, a user-mode network has no socket that listens: it is the one that runs.

    Args:
        host: where they are.
        flows: the original tuples of both connections.
        user_mode: both have the same two addresses.
    """
    for flow in flows:
        known = host.owns(flow.dst) and flow.dport is not None
        found = host.listener("tcp", flow.dst, flow.dport) if known and flow.dport is not None else None
        if found is not None and found.program:
            return _plain(found.program)
    if not user_mode:
        return None
    running = {_plain(one.program) for one in host.listeners if one.program} & {*USER_MODE}
    return running.pop() if len(running) == 1 else None


def _plain(program: str) -> str:
    """Leave out what pasta adds to its name: the instructions that it was compiled for."""
    return program.partition(".")[0] if program.startswith(USER_MODE) else program

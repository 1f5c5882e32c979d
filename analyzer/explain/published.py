"""Why a port of the host leads to no container: what Docker says of those that publish it, or something like it."""

from collections.abc import Iterator

from analyzer.explain.told import Facts
from analyzer.model import Address, Container, HostState, Listener, Network, PublishedPort

HOST_NETWORK = "host"
PROXY = "docker-proxy"


def mistaken(host: HostState, dst: Address, protocol: str, port: int) -> Facts:
    """
    Return what comes nearest to an end of the host that nobody answers for; nothing if Docker knows of nothing near.

    ``publishes`` says what it is: the same port of a container that does not run, or on a network that publishes
    nothing, or at another address, IP version or protocol, or the container's own port instead of the
    host's, or one that is not published at all.
    """
    return next(_hints(host, dst, protocol, port), {})


def proxied(host: HostState, protocol: str, dst: Address, port: int) -> Facts:
    """Name the container whose published port docker-proxy serves at an end of the host; nothing if it does not."""
    listener = host.listener(protocol, dst, port)
    if listener is None or listener.program != PROXY:
        return {}
    for container, one in ((c, p) for c in host.containers for p in c.ports):
        if (one.outside, one.protocol) == (port, protocol):
            return {"proxied": container.name, "inner_port": one.inside, "port": f"{port}/{protocol}"}
    return {}


def _hints(host: HostState, dst: Address, protocol: str, port: int) -> Iterator[Facts]:
    for container in host.containers:
        for one in _wanted(container):
            if (one.protocol, one.outside) == (protocol, port) and one.text not in container.published:
                yield from _unpublished(host, container, one)
    proxied = any(one.program == PROXY for one in host.listeners)
    for container, one in ((c, p) for c in host.containers for p in c.ports):
        if one.outside == port and one.protocol == protocol:
            if proxied and one.address in (None, dst) and one.version in (None, dst.version):
                yield _hint(container, one, "no-proxy")
            elif one.address is not None and one.address != dst:
                yield _hint(container, one, "other-address")
            elif one.version not in (None, dst.version) and not _both_versions(container, one):
                yield _hint(container, one, "other-version")
    for container, one in ((c, p) for c in host.containers for p in c.ports):
        if one.outside == port and one.protocol != protocol:
            yield _hint(container, one, "other-protocol")
    inner = [(c, p) for c in host.containers for p in c.ports if (p.inside, p.protocol) == (port, protocol)]
    for container, one in inner[:1] if all(p.outside != port for _, p in inner) else ():
        each = dict.fromkeys(f"{c.name} as {p.text}" for c, p in inner if p.version in (None, dst.version))
        yield _hint(container, one, "inside-port") | {"each": list(each)}
    yield from _served(host, protocol, port)


def _served(host: HostState, protocol: str, port: int) -> Iterator[Facts]:
    """Give containers with networks of their own in which somebody listens on that port, and that do not publish it."""
    for container in host.containers:
        state = host.inside.get(container.name)
        taking = [one for one in state.listeners if one.protocol == protocol] if state is not None else []
        if HOST_NETWORK not in (container.mode, container.network) and _serves(taking, container, port):
            yield {"publishes": "unpublished", "publisher": container.name, "port_text": f"{port}/{protocol}"}


def _serves(listeners: list[Listener], container: Container, port: int) -> bool:
    """Tell whether somebody listens on a port in a container for others."""
    return any(one.port == port and (one.address is None or one.address in container.addresses) for one in listeners)


def _wanted(container: Container) -> Iterator[PublishedPort]:
    for text in container.wanted:
        if (port := PublishedPort.parse(text)) is not None:
            yield port


def _unpublished(host: HostState, container: Container, port: PublishedPort) -> Iterator[Facts]:
    """Say why what a container was to publish is not."""
    status = container.status
    if status.text not in (None, "running", "paused"):
        code = "" if status.exit_code is None else f", exit code {status.exit_code}"
        memory = ", out of memory" if status.out_of_memory else ""
        yield _hint(container, port, "not-running") | {"status": f"{status.text}{code}{memory}"}
    elif HOST_NETWORK in (container.mode, container.network):
        yield _hint(container, port, "host-network")
    elif any(network.name == container.network and network.internal for network in host.networks):
        yield _hint(container, port, "internal") | {"network": container.network}
    elif (gateway := _gateway_elsewhere(host, container)) is not None:
        yield _hint(container, port, "gateway-elsewhere") | {"network": gateway.name}
    elif container.status.text is not None and container.addresses and not container.published:
        yield _hint(container, port, "not-published")


def _gateway_elsewhere(host: HostState, container: Container) -> Network | None:
    """Return the network of the LAN that a container has its default route on: Docker publishes nothing then."""
    state = host.inside.get(container.name)
    ends = {one.network: one for one in host.containers if one.name == container.name}
    for network in host.networks:
        gateways = ends[network.name].gateways if network.name in ends else ()
        by = any(r.dst.prefixlen == 0 and r.gateway in gateways for r in (state.routes if state is not None else ()))
        if network.on_parent and by:
            return network
    return None


def _both_versions(container: Container, port: PublishedPort) -> bool:
    """Tell whether the same port is published for the other IP version as well."""
    return len({p.version for p in container.ports if (p.outside, p.protocol) == (port.outside, port.protocol)}) > 1


def _hint(container: Container, port: PublishedPort, publishes: str) -> Facts:
    return {"publishes": publishes, "publisher": container.name, "port_text": port.text}

"""Published ports that are not where somebody asks for them: by address, protocol, network and container."""

from tests.lab.commands import inside
from tests.lab.engine import IMAGE, INTERNET
from tests.lab.faults.world import BRIDGE, HOST, Act, Fault, Net, World

NONE: frozenset[str] = frozenset()
REFUSED = frozenset({"connection-refused"})
PORT, INNER = 9100, "inner"


def _edge(*options: str, port: str = "80") -> Act:
    """Return what starts one more container that publishes so, with a server of TCP in it."""

    def act(world: World, net: Net) -> None:
        world.run_on(net, "edge", *options)
        world.start_server(world.in_container("edge"), "tcp", port)

    return act


def _no_edge(world: World, net: Net) -> None:
    world.remove_container("edge")


def _on_inner(world: World, net: Net) -> None:
    """Publish a port of a container on a network that has no way out."""
    world.docker("network", "create", "--internal", INNER)
    world.run_container("edge", "--network", INNER, "-p", f"{PORT}:80")
    world.start_server(world.in_container("edge"), "tcp", "80")


def _no_inner(world: World, net: Net) -> None:
    world.remove_container("edge")
    world.docker("network", "rm", INNER)


def _on_host(world: World, net: Net) -> None:
    """Publish a port of a container on the host's network, where its program has another one."""
    world.run_container("edge", "--network", "host", "-p", f"{PORT}:9180")
    world.start_server(inside(HOST), "tcp", "9180")


def _from_outside(world: World, net: Net) -> None:
    for _ in range(2):
        world.chat_from(inside(INTERNET), "tcp", net.host, PORT, "count=1", "lossy=1")


def _from_itself(world: World, net: Net) -> None:
    world.chat_from(inside(HOST), "tcp", "127.0.0.1", PORT, "count=1")


def _inner_port(world: World, net: Net) -> None:
    """Ask for the port that the program has in the container, at the host."""
    world.chat_from(inside(INTERNET), "tcp", net.host, 80, "count=1", "lossy=1")


def _crashes(world: World, net: Net) -> None:
    """Let Docker start a container again and again, whose program ends at once."""
    where = ("--network", net.name) if net is BRIDGE else ("--network", "appnet")
    world.docker("run", "-d", "--name", "crashes", "--restart", "always", *where, "-p", f"{PORT}:80",
                 IMAGE, "sh", "-c", "exit 3")  # fmt: skip
    world.sleep(3)


def _crashes_no_more(world: World, net: Net) -> None:
    world.docker("rm", "-f", "crashes")


PUBLISHED = (
    Fault("published-on-loopback", "A port is published on 127.0.0.1, and somebody outside asks for it.", REFUSED,
          _from_outside, _edge("-p", f"127.0.0.1:{PORT}:80"), teardown=_no_edge),
    Fault("published-as-udp", "A port is published for UDP, and asked for by TCP.", REFUSED, _from_outside,
          _edge("-p", f"{PORT}:80/udp"), teardown=_no_edge),
    Fault("published-inside", "A port is published on an internal network.", REFUSED, _from_outside, _on_inner,
          teardown=_no_inner),
    Fault("published-on-hosts-network", "A port is published on the host's network, which does nothing.", REFUSED,
          _from_outside, _on_host, teardown=_no_edge),
    Fault("asked-by-inner-port", "Somebody asks the host for the port that is the container's own.", REFUSED,
          _inner_port),
    Fault("restarts-again-and-again", "A container ends as soon as it is started, and publishes a port.", REFUSED,
          _from_outside, _crashes, teardown=_crashes_no_more, also=frozenset({"container-ended"})),
    Fault("published-on-loopback-for-itself", "A port is published on 127.0.0.1, and the host itself uses it.", NONE,
          _from_itself, _edge("-p", f"127.0.0.1:{PORT}:80"), teardown=_no_edge, nets=(BRIDGE,)),
)  # fmt: skip

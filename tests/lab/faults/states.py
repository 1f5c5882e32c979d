"""Containers that are there, and do not do: paused, and what their own health checks say of them."""

from tests.lab.faults.acts import echo
from tests.lab.faults.world import BRIDGE, Fault, Net, World

NONE: frozenset[str] = frozenset()
PORT = "7000"


def _serving(world: World, net: Net) -> None:
    world.run_on(net, "sick", "--health-cmd", "false", "--health-interval", "1s", "--health-retries", "1")
    world.sleep(2.5)


def _sick_gone(world: World, net: Net) -> None:
    world.remove_container("sick")


def _ask_sick(world: World, net: Net) -> None:
    address = world.address_of("sick", net)
    for _ in range(2):
        world.chat(net.client, "tcp", address, int(PORT), "count=1", "lossy=1")


def _paused(world: World, net: Net) -> None:
    """Pause a container whose server's program is in it."""
    world.docker("exec", "-d", net.server, "nc", "-lk", "-p", PORT, "-e", "cat")
    world.sleep(0.3)
    world.docker("pause", net.server)


def _resumed(world: World, net: Net) -> None:
    world.docker("unpause", net.server)
    world.docker("exec", net.server, "sh", "-c", "killall nc; :")


def _ask_paused(world: World, net: Net) -> None:
    for _ in range(2):
        world.chat(net.client, "tcp", net.server_ip, int(PORT), "count=1", "lossy=1")


STATES = (
    Fault("paused", "A server's container is paused.", frozenset({"container-paused"}), _ask_paused, _paused,
          teardown=_resumed, also=frozenset({"request-unanswered"})),
    Fault("paused-unasked", "A container is paused of which nobody wants anything.", NONE, echo, _paused,
          teardown=_resumed, nets=(BRIDGE,)),
    Fault("unhealthy", "A container's health check fails, and nothing listens in it.",
          frozenset({"connection-refused"}), _ask_sick, _serving, teardown=_sick_gone),
    Fault("unhealthy-unasked", "A container's health check fails; nobody wants anything of it.", NONE, echo, _serving,
          teardown=_sick_gone, nets=(BRIDGE,)),
)  # fmt: skip

"""Containers that share another one's network namespace, and what becomes of them when that one starts anew."""

from tests.lab.faults.world import BRIDGE, Act, Fault, Net, World

PORT = "9000"
OWNER, SIDECAR = "twin", "side"


def _beside(then: Act) -> Act:
    """Start a sidecar with a server; then let something happen to the container whose network it shares."""

    def setup(world: World, net: Net) -> None:
        world.run_container(SIDECAR, "--network", f"container:{OWNER}")
        world.start_server(world.in_container(SIDECAR), "tcp", PORT)
        world.sleep(0.3)
        then(world, net)

    return setup


def _stays(world: World, net: Net) -> None:
    """Let everything be as it is."""


def _restarts(world: World, net: Net) -> None:
    world.restart_container(OWNER)


def _is_replaced(world: World, net: Net) -> None:
    world.remove_container(OWNER)
    world.run_container(OWNER)


def _gone(world: World, net: Net) -> None:
    world.remove_container(SIDECAR)


def _both(world: World, net: Net) -> None:
    """Use the sidecar's server, and let the sidecar use one outside."""
    world.chat(net.client, "tcp", world.address_of(OWNER, net), int(PORT), "count=1")
    world.chat(SIDECAR, "tcp", net.remote, 7, "count=1")


def _sidecar(name: str, about: str, expect: frozenset[str], then: Act) -> Fault:
    return Fault(name, about, expect, _both, _beside(then), teardown=_gone, nets=(BRIDGE,), third=True,
                 capture=("-c", SIDECAR))  # fmt: skip


CUT_OFF = frozenset({"sidecar-cut-off"})
SIDECARS = (
    _sidecar("sidecar-left-behind", "A container whose network another one shares is restarted.", CUT_OFF, _restarts),
    _sidecar("sidecar-orphaned", "A container whose network another one shares is made anew.", CUT_OFF, _is_replaced),
    _sidecar(
        "sidecar-in-place", "A container shares another one's network, and is reached there.", frozenset(), _stays
    ),
)

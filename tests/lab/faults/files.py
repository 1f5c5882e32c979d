"""FTP through NAT, active and passive, from containers and to them."""

from tests.lab.commands import inside
from tests.lab.engine import INTERNET
from tests.lab.faults.world import BRIDGE, Act, Fault, Net, World

FOUND = frozenset({"ftp-data-unreachable"})
NONE: frozenset[str] = frozenset()
SERVER, DATA = "ftp", "30000"


def _outside(mode: str) -> tuple[Act, Act]:
    """Return what starts a server outside, and what a container wants of it."""

    def setup(world: World, net: Net) -> None:
        world.background(inside(INTERNET), "ftp.py", "serve", "21", "-", "0", "0")
        world.sleep(0.3)

    def act(world: World, net: Net) -> None:
        for _ in range(2):
            world.script(world.in_container(net.client), "ftp.py", "list", net.remote, "21", mode)

    return setup, act


def _inside(named: str, mode: str, *published: str) -> tuple[Act, Act]:
    """Return what starts a server in a container, and what somebody outside wants of it."""

    def setup(world: World, net: Net) -> None:
        ports = [word for port in ("2121:21", *published) for word in ("-p", port)]
        world.run_container(SERVER, *ports)
        world.background(world.in_container(SERVER), "ftp.py", "serve", "21", named, DATA, DATA)
        world.sleep(0.3)

    def act(world: World, net: Net) -> None:
        for _ in range(2):
            world.script(inside(INTERNET), "ftp.py", "list", net.host, "2121", mode)

    return setup, act


def _gone(world: World, net: Net) -> None:
    world.remove_container(SERVER)


def _from(name: str, about: str, expect: frozenset[str], mode: str) -> Fault:
    setup, act = _outside(mode)
    return Fault(name, about, expect, act, setup, nets=(BRIDGE,))


def _to(name: str, about: str, expect: frozenset[str], *how: str) -> Fault:
    setup, act = _inside(*how)
    return Fault(name, about, expect, act, setup, teardown=_gone, nets=(BRIDGE,), capture=("-c", SERVER),
                 also=frozenset({"connection-refused"}))  # fmt: skip


FILES = (
    _from("ftp-active", "A container wants a file by FTP's active mode, and no helper is there.", FOUND, "active"),
    _from("ftp-passive", "A container gets a file by FTP's passive mode.", NONE, "passive"),
    _to("ftp-inner-address", "An FTP server in a container names its own address.", FOUND, "-", "trusting"),
    _to("ftp-port-unpublished", "The port that an FTP server names is not published.", FOUND, "-", "passive"),
    _to("ftp-well-published", "An FTP server's passive port is published.", NONE, BRIDGE.host, "trusting",
        f"{DATA}:{DATA}"),
)  # fmt: skip

"""What several faults have in common: what is tried, and how rules come and go."""

from tests.lab.commands import inside
from tests.lab.engine import INTERNET
from tests.lab.faults.world import Act, Net, World, host


def rule(*rule: str, table: str = "filter") -> tuple[Act, Act]:
    """Return what inserts a rule, and what deletes it; ``NET:`` words are fields of the network."""

    def words(net: Net) -> list[str]:
        return [str(getattr(net, word[4:])) if word.startswith("NET:") else word for word in rule]

    def insert(world: World, net: Net) -> None:
        host(net.tables, "-w", "-t", table, "-I", *words(net))

    def delete(world: World, net: Net) -> None:
        host(net.tables, "-w", "-t", table, "-D", *words(net))

    return insert, delete


def echo(world: World, net: Net) -> None:
    """Open a connection to the echo server outside."""
    world.chat(net.client, "tcp", net.remote, 7, "count=1")


def from_outside(world: World, net: Net) -> None:
    """Use the published port, from outside."""
    world.chat_from(inside(INTERNET), "tcp", net.host, net.port, "count=2")


def both(one: Act, two: Act) -> Act:
    """Do one after the other."""

    def act(world: World, net: Net) -> None:
        one(world, net)
        two(world, net)

    return act


def out(world: World, net: Net) -> None:
    """Ping and use TCP, outwards."""
    world.ping(net.client, net.remote, 2)
    world.chat(net.client, "tcp", net.remote, 7, "count=1")

"""Who listens where a connection or datagram is refused: in the container that refuses, or on the host."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from analyzer.explain.case import Case
from analyzer.explain.inside import receiver
from analyzer.explain.published import mistaken
from analyzer.explain.told import Facts
from analyzer.model import Container, HostState, Listener, Role
from analyzer.state.rules.names import PROTOCOLS

SHOWN = 5
NAMES = {PROTOCOLS[name]: name for name in ("tcp", "udp")}


@dataclass(frozen=True, slots=True)
class Listening:
    """What was recorded of who listens; nothing, if that tells nothing."""

    facts: Facts = field(default_factory=dict)
    proof: tuple[str, ...] = ()

    @property
    def elsewhere(self) -> list[str]:
        """Other containers that have the port."""
        found = self.facts.get("elsewhere")
        return found if isinstance(found, list) else []


def listening(case: Case, packet: int) -> Listening:
    """Say why nobody takes a packet that came to a container or to the host: who listens there, and where."""
    of = receiver(case, packet)
    row, context = int(case.last_row[packet]), case.context
    dst, protocol, port = context.dst(row), NAMES.get(context.value("proto", row)), context.value("dport", row)
    name = of.container.name if of is not None else _own_end(case, row)
    state = of.state if of is not None else context.host_at(row).inside.get(name, context.host_at(row))
    place = f"containers/{name}/" if name else ""
    if dst is None or protocol is None or not state.knows_listeners or (of is None and not state.owns(dst)):
        return Listening()
    now = state.listener(protocol, dst, port)
    if now is not None:
        by_now: Facts = {"listens_now": now.program or "somebody"}
        return Listening(by_now, (f"{place}ss.txt: {_text(now)}",)) if _afterwards(case, row) else Listening()
    hint = mistaken(state, dst, protocol, port) if not name else {}
    if hint:
        return Listening(hint, (f"docker-inspect.json: {hint['publisher']} {hint['port_text']}",))
    same = [one for one in state.listeners if (one.protocol, one.port) == (protocol, port)]
    if same:
        where = sorted({_where(one) for one in same})
        program = next((one.program for one in same if one.program), "")
        proof = tuple(f"{place}ss.txt: {_text(one)}" for one in same)
        return Listening({"only_at": where, "program": program, "port": port}, proof)
    elsewhere = _elsewhere(context.host_at(row), name, protocol, port)
    others = list(dict.fromkeys(_text(one) for one in _reachable(state, protocol)))
    return Listening(
        {"listens_on": others[:SHOWN], "nobody_at": f"{port}/{protocol}", "elsewhere": elsewhere},
        tuple(f"{place}ss.txt: {text}" for text in others[:SHOWN]) or (f"{place}ss.txt: no {protocol} socket listens",),
    )


def _own_end(case: Case, row: int) -> str:
    """Return the container at whose own end a packet was seen; nothing if it was seen elsewhere."""
    point = case.context.point(row)
    return point.container or "" if point.role is Role.CONTAINER else ""


def _afterwards(case: Case, row: int) -> bool:
    """Tell whether who listens was recorded after a packet: when captures had ended."""
    point = case.context.point(row)
    return point.recorded_until_ns is not None and case.context.value("time_ns", row) < point.recorded_until_ns


def _elsewhere(host: HostState, container: str, protocol: str, port: int) -> list[str]:
    """Return the other containers in which somebody listens on the same port, for others than themselves."""
    return [
        name
        for name, state in host.inside.items()
        if name != container and any((one.protocol, one.port) == (protocol, port) and not _is_own(one)
                                     for one in state.listeners)
    ][:SHOWN] if container else []  # fmt: skip


def meant(case: Case, packet: int, owner: Container | None, elsewhere: list[str]) -> Facts:
    """Say why a client asks this container and not the one that has the port: a name of both, or an old address."""
    row, host = int(case.last_row[packet]), case.context.host_at(int(case.last_row[packet]))
    if owner is None or not elsewhere:
        return {}
    other = next((c for c in host.containers if (c.name, c.network) == (elsewhere[0], owner.network)), None)
    src = case.context.src(row)
    asker = host.container_of_address(src) if src is not None else None
    if other is None:
        return {}
    both = [name for name in owner.aliases if name in other.aliases]
    if both:
        return {"alias": both[0]}
    since = [
        c for c in host.containers
        if c.name in elsewhere and c.network == owner.network and c.addresses and asker is not None
        and "" < asker.created < min(owner.created, c.created)
    ]  # fmt: skip
    if not since:
        return {}
    return {"made_since": [c.name for c in since], "now_at": [str(c.addresses[0]) for c in since]}


def _reachable(state: HostState, protocol: str) -> list[Listener]:
    """Return who listens for others than the machine itself."""
    found = [one for one in state.listeners if one.protocol == protocol]
    return sorted((one for one in found if not _is_own(one)), key=lambda one: one.port)


def _is_own(one: Listener) -> bool:
    return isinstance(one.address, IPv4Address | IPv6Address) and one.address.is_loopback


def _where(one: Listener) -> str:
    if one.address is not None:
        return str(one.address)
    return "IPv6" if one.version == 6 else "IPv4"


def _text(one: Listener) -> str:
    """As people write it: ``127.0.0.1:80/tcp (nginx)``, ``8080/tcp``."""
    end = "" if one.address is None else f"[{one.address}]:" if one.address.version == 6 else f"{one.address}:"
    return f"{end}{one.port}/{one.protocol}" + (f" ({one.program})" if one.program else "")

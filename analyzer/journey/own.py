"""The decision that comes first: by its own routes a container sends to the destination itself, or to a gateway."""

from analyzer.decode.offsets import GROUP_BIT
from analyzer.journey.steps import resolved
from analyzer.model import Address, ArpExchange, Basis, OwnRouteStep, Role
from analyzer.packet.context import Context
from analyzer.packet.sight import Sight
from analyzer.schema import Layer
from analyzer.state.routing import Sought, choose

Found = OwnRouteStep | None


class OwnRoutes:
    """What containers decided; each way is looked up once."""

    def __init__(self, context: Context, exchanges: list[ArpExchange]) -> None:
        self._context, self._exchanges = context, exchanges
        self._known: dict[tuple[int, Address, Address, int], Found] = {}

    def of(self, first: Sight) -> Found:
        """Return how its sender sent the packet that was seen first so; None of all but containers' own packets."""
        point, source, target = self._context.points[first.point], first.source, first.target
        if source is None or target is None or not first.layers & Layer.MAC_DST:
            return None
        if point.role not in (Role.VETH, Role.CONTAINER) or first.layers & Layer.TUNNEL or first.eth_dst & GROUP_BIT:
            return None
        key = first.point, source, target, first.eth_dst
        if key not in self._known:
            own = self._is_sender(first, source)
            self._known[key] = self._decided(first, source, target) if own else None
        return self._known[key]

    def _is_sender(self, first: Sight, source: Address) -> bool:
        """Tell whether a packet comes from the container behind the point: by its address, else by its MAC's home."""
        point = self._context.points[first.point]
        if point.container is None:
            return self._context.homes.get(first.eth_src, (None, 0))[0] == first.point
        owner = self._context.hosts.owner_of_address(source, point.host)
        return owner is not None and owner.name == point.container

    def _decided(self, first: Sight, source: Address, target: Address) -> Found:
        """Say what the recorded routes state, where that is what the destination MAC shows; else that alone."""
        host, container = self._context.host_at(first.row), self._context.points[first.point].container
        shown = resolved(host, first.eth_dst, target, self._exchanges)
        inside = host.inside.get(container) if container is not None else None
        chosen = choose(inside, Sought(target, source)) if inside is not None and inside.routes else None
        if chosen is not None and chosen.route.kind == "unicast" and not chosen.route.nexthops:
            route = chosen.route
            if shown in (None, route.gateway or target) and not self._elsewhere(first, route.gateway or target):
                return OwnRouteStep(container, route.gateway, route.text, chosen.why, Basis.STATED)
        if shown is None:
            return None
        return OwnRouteStep(container, None if shown == target else shown, None, None, Basis.INFERRED)

    def _elsewhere(self, first: Sight, hop: Address) -> bool:
        """Tell whether the next hop's MAC is known to be another one than the frame was sent to."""
        host = self._context.host_at(first.row)
        owner = self._context.hosts.owner_of_address(hop, self._context.points[first.point].host)
        entry = host.neighbour(hop)
        known = {owner.mac if owner is not None else None, entry.mac if entry is not None else None}
        known |= {link.mac for link in host.links if hop in link.addresses}
        return first.eth_dst not in known and known != {None}

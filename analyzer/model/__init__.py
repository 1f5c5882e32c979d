"""The words of hoptrace as frozen values; the standard library only.

A *frame* is one record at one *point*. A *packet* is the datagram, seen as frames at several points; a *hop*
is one packet at one point. A *connection* is conntrack's view, an original and a reply *tuple*. A *journey* is
a packet's ordered hops with the *steps* between them and a *disposition*. Every claim carries a *basis*.
"""

from analyzer.model.basis import Basis
from analyzer.model.connection import Connection, NatChange, NatKind
from analyzer.model.engine import Container, Network, PublishedPort, Status
from analyzer.model.finding import Evidence, Finding, Severity
from analyzer.model.host import (
    BridgePort,
    ConntrackEntry,
    FdbEntry,
    Hosts,
    HostState,
    Link,
    Listener,
    Neighbour,
    PortVlan,
    Queue,
    Route,
    RoutingRule,
)
from analyzer.model.journey import (
    ArpExchange,
    ArpStep,
    Disposition,
    FdbStep,
    FilterStep,
    Hop,
    IpvlanStep,
    Journey,
    MacvlanStep,
    NatStep,
    OwnRouteStep,
    ProxyStep,
    Rewrite,
    RouteStep,
    Step,
    TunnelStep,
)
from analyzer.model.point import Clock, Piece, Point, Role
from analyzer.model.tuple import Address, Direction, FlowTuple, Mac, address, endpoint, mac_text
from analyzer.model.vpn import IpsecPolicy, IpsecState, Peer

__all__ = [
    "Address",
    "ArpExchange",
    "ArpStep",
    "Basis",
    "BridgePort",
    "Clock",
    "Connection",
    "ConntrackEntry",
    "Container",
    "Direction",
    "Disposition",
    "Evidence",
    "FdbEntry",
    "FdbStep",
    "FilterStep",
    "Finding",
    "FlowTuple",
    "Hop",
    "HostState",
    "Hosts",
    "IpsecPolicy",
    "IpsecState",
    "IpvlanStep",
    "Journey",
    "Link",
    "Listener",
    "Mac",
    "MacvlanStep",
    "NatChange",
    "NatKind",
    "NatStep",
    "Neighbour",
    "Network",
    "OwnRouteStep",
    "Peer",
    "Piece",
    "Point",
    "PortVlan",
    "ProxyStep",
    "PublishedPort",
    "Queue",
    "Rewrite",
    "Role",
    "Route",
    "RouteStep",
    "RoutingRule",
    "Severity",
    "Status",
    "Step",
    "TunnelStep",
    "address",
    "endpoint",
    "mac_text",
]

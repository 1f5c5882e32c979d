"""What firewalld was told: zones, with the interfaces and forwarded ports of each."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Zone:
    """One of them."""

    name: str
    interfaces: tuple[str, ...] = ()
    default: bool = False
    """Interfaces that are in no zone are in this one."""
    masquerades: bool = False
    forward_ports: tuple[str, ...] = ()
    """As ``--add-forward-port`` takes them: ``port=8080:proto=tcp:toport=80:toaddr=10.0.0.2``."""

    def forwards(self, port: int, protocol: str) -> str | None:
        """Return how it forwards a port; None if it does not."""
        wanted = f"port={port}:proto={protocol}"
        return next((one for one in self.forward_ports if one == wanted or one.startswith(f"{wanted}:")), None)


def zone_of(zones: Iterable[Zone], interface: str) -> tuple[Zone | None, bool]:
    """Return an interface's zone, if that is known, and whether somebody put it there."""
    named = next((one for one in zones if interface in one.interfaces), None)
    return named or next((one for one in zones if one.default), None), named is not None

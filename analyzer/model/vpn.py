"""The host's own tunnels, as far as its state tells of them: WireGuard's peers, IPsec's policies and keys."""

from dataclasses import dataclass

from analyzer.model.engine import Prefix
from analyzer.model.tuple import Address

REJECT_AFTER_S = 180
"""How long a handshake's keys are good (REJECT_AFTER_TIME); whatever is sent after that begins another one."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A WireGuard interface's peer, from ``wg show``."""

    dev: str
    key: str
    """Its public key, in base64."""
    endpoint: tuple[Address, int] | None
    """Address and UDP port that it is sent to; None where it has to speak first."""
    allowed: tuple[Prefix, ...]
    """Addresses that are sent to it, and taken from it."""
    handshake_s: int | None
    """Seconds since the last handshake; None if there never was one."""

    @property
    def silent(self) -> bool:
        """Whether it has no key to use: then all that is for it waits, and is dropped (wireguard, messages.h)."""
        return self.handshake_s is None or self.handshake_s > REJECT_AFTER_S


@dataclass(frozen=True, slots=True)
class IpsecPolicy:
    """One of ``ip xfrm policy``: what IPsec does with packets of a selector."""

    direction: str
    """``out``, ``fwd`` or ``in``."""
    src: Prefix
    dst: Prefix
    blocks: bool
    wants: tuple[tuple[str, Address | None], ...]
    """Protocol (``esp``, ``ah``, ``comp``) and far end of each state that it needs; nothing for plain packets."""
    priority: int
    """The least counts first."""
    whole: bool
    """Nothing but addresses selects: no port, protocol, mark or interface."""
    text: str
    """As ``ip xfrm policy`` prints it."""


@dataclass(frozen=True, slots=True)
class IpsecState:
    """One of ``ip xfrm state``: the keys for one way between two ends."""

    protocol: str
    src: Address
    dst: Address

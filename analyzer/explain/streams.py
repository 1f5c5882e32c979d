"""What each TCP connection came to: one number a connection and question, counted in columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.decode.offsets import ACK, PROTO_TCP, RST, SYN
from analyzer.link.identity import has
from analyzer.packet.context import Context
from analyzer.schema import Array, Int64, Layer

if TYPE_CHECKING:
    from analyzer.explain.case import Case


@dataclass(slots=True)
class Handshakes:
    """(connections,) Packets of TCP connections by kind; zeros for other protocols."""

    asked: Int64
    """SYN of the original direction."""
    granted: Int64
    """SYN,ACK of the reply direction."""
    refused: Int64
    """RST of the reply direction."""
    answered: Int64
    """Any packet of the reply direction."""
    went_on: Int64
    """Acknowledgements of the original direction: an answer came, even if no capture shows it."""

    def unanswered(self) -> list[int]:
        """Return the connections whose SYN nothing answered."""
        silent = (self.asked > 0) & (self.answered == 0) & (self.went_on == 0)
        found: list[int] = np.flatnonzero(silent).tolist()
        return found

    def unheard(self) -> Int64:
        """Return the connections whose SYN was sent again though it was granted, and that never went on."""
        return np.flatnonzero((self.asked > 1) & (self.granted > 0) & (self.went_on == 0))

    def rejected(self) -> list[int]:
        """Return the connections whose SYN an RST answered."""
        found: list[int] = np.flatnonzero((self.asked > 0) & (self.granted == 0) & (self.refused > 0)).tolist()
        return found


def handshakes(context: Context, rows: Int64, connection: Int64, reply: Array) -> Handshakes:
    """Count packets, each by its first row, its connection and direction; all (packets,)."""
    flags = context.frames["tcp_flags"][rows]
    tcp = has(context.frames["layers"][rows], Layer.TCP) & (connection >= 0)
    count = len(context.connections["proto"])

    def counted(chosen: Array) -> Int64:
        return np.bincount(connection[tcp & chosen], minlength=count)

    opens = flags & (SYN | ACK | RST)
    return Handshakes(
        asked=counted(~reply & (opens == SYN)),
        granted=counted(reply & (opens == SYN | ACK)),
        refused=counted(reply & (flags & RST != 0)),
        answered=counted(reply),
        went_on=counted(~reply & (flags & ACK != 0) & (flags & RST == 0)),
    )


def leftovers(case: "Case", packets: Sequence[int]) -> bool:
    """Tell whether TCP packets are but the last words of connections from before the captures: nobody misses them."""
    numbers = np.unique(case.connection[list(packets)])
    if not len(numbers) or numbers[0] < 0:
        return False
    tcp = case.context.connections["proto"][numbers] == PROTO_TCP
    begun = case.handshakes.asked[numbers] > 0
    carries = [bool(case.first("payload_len")[case.packets_of(number)].any()) for number in numbers.tolist()]
    return bool(tcp.all()) and not begun.any() and not any(carries)

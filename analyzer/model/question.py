"""What rules ask: fields of a packet, expressions of them, and what they are compared with, in closed lists.

A field is known, unknown or absent. What a front end does not know becomes ``Opaque``, whose answer nobody knows: a
rule that is not understood can be undecidable, but never a wrong yes or no.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from analyzer.model.tuple import Address


class Field(StrEnum):
    """What a rule can ask of a packet: all that there is. The text is what people read."""

    PROTOCOL = "protocol"
    VERSION = "IP version"
    SRC = "source address"
    DST = "destination address"
    SPORT = "source port"
    DPORT = "destination port"
    ICMP_TYPE = "ICMP type"
    ICMP_CODE = "ICMP code"
    ICMP6_TYPE = "ICMPv6 type"
    ICMP6_CODE = "ICMPv6 code"
    TCP_FLAGS = "TCP flags"
    LENGTH = "length"
    TTL = "TTL"
    DSCP = "DSCP"
    FRAGMENT = "place in a fragmented packet"
    IIF = "way in"
    OIF = "way out"
    PORT_IN = "bridge port it came in by"
    PORT_OUT = "bridge port it leaves by"
    BRIDGED = "being bridged"
    SRC_MAC = "source MAC"
    DST_MAC = "destination MAC"
    SRC_TYPE = "type of the source address"
    DST_TYPE = "type of the destination address"
    WAY_BACK = "way back to its source"
    MARK = "mark"
    CT_STATE = "conntrack state"
    CT_DIRECTION = "direction in its connection"
    CT_SNAT = "translation of its connection's source"
    CT_DNAT = "translation of its connection's destination"
    CT_CONFIRMED = "confirmation of its connection"
    CT_SEEN_REPLY = "replies of its connection"
    CT_ASSURED = "assurance of its connection"
    CT_MARK = "mark of its connection"
    CT_SRC = "original source address"
    CT_DST = "original destination address"
    CT_SPORT = "original source port"
    CT_DPORT = "original destination port"
    CT_REPLY_SRC = "source address of replies"
    CT_REPLY_DST = "destination address of replies"
    CT_REPLY_SPORT = "source port of replies"
    CT_REPLY_DPORT = "destination port of replies"


class Missing(Enum):
    """Why something cannot be decided: all reasons that there are. The first text is what people read."""

    FIELD = "is not known", "Captures and dumps do not tell what the rule asks of the packet."
    MATCH = "is not evaluated", "The rule uses a match or expression that is not in the table."
    TARGET = "is not followed", "What the rule does to a packet is not in the table."
    RATE = "depends on a rate", "Limits are full or not by what passed before; counters of them are not dumped."
    CHANCE = "depends on chance", "The kernel throws dice for each packet or connection."
    HISTORY = "depends on earlier packets", "Lists and counts that packets fill are not in the dumps."
    CLOCK = "depends on the time of day", "The kernel compares its own clock, in its own time zone."
    PAYLOAD = "looks into the payload", "Bytes behind the headers are not given to rules here."
    SOCKET = "depends on who owns the socket", "Which process sends or receives a packet is not recorded."
    PROGRAM = "runs a program", "BPF programs are not run here."
    USERSPACE = "asks a program in user space", "What listens to the queue decides."
    IPSEC = "depends on IPsec", "Which packets came out of IPsec, or go into it, is not followed."
    SET = "asks a set that was not recorded", "ipset save or the set's elements are missing."
    ZONE = "uses conntrack zones", "Connections of several zones are not followed."
    VALUE = "has a value that it cannot have", "A value that its option or statement cannot have."
    CHAIN = "jumps to a chain that is not there", "The dump lacks the chain."
    LOOP = "calls itself", "Chains that call each other; the kernel refuses them."
    COUNT = "has too many rules before it", "More rules would be asked than anybody can wait for."
    OUTCOMES = "leaves too many outcomes", "So many rules before are undecided that not all cases could be tried."

    @property
    def words(self) -> str:
        """What it is, behind the name of a match or rule."""
        return str(self.value[0])

    @property
    def meaning(self) -> str:
        """One sentence for the docs."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Unknown:
    """The third answer: nobody knows, because *what* is missing."""

    missing: Missing
    what: str = ""
    """The match, field or set that it is about."""

    def __str__(self) -> str:
        return f"{self.what} {self.missing.words}".strip()


class Absent(Enum):
    """A packet has no such thing: no rule that asks for it matches, negated or not."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
Plain = int | str | Address
Answer = bool | Unknown


@dataclass(frozen=True, slots=True)
class Of:
    """A packet's field."""

    field: Field
    missing: Plain | Unknown | None = None
    """What stands for it in packets that have none: iptables compares the empty name where there is no interface."""
    protocol: int | None = None
    """Packets of other protocols have none: nftables' ``tcp dport`` of a datagram."""
    version: int | None = None
    """Packets of the other IP version have none."""


@dataclass(frozen=True, slots=True)
class Bits:
    """``(x & mask) ^ flip``, which every and, or and xor with a constant is."""

    of: "Expression"
    mask: int
    flip: int = 0


@dataclass(frozen=True, slots=True)
class Joined:
    """Several values as one: nftables' concatenation."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Plus:
    """A number, more or less."""

    of: "Expression"
    more: int


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a map gives for a key."""

    key: "Expression"
    of: "Elements | str"
    """An anonymous map, or the name of one of the table."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value."""

    value: Plain | tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value that the kernel chooses: an address or port of a range; known only if there is no choice."""

    low: Plain
    high: Plain


@dataclass(frozen=True, slots=True)
class Opaque:
    """An expression, test or statement that cannot be evaluated."""

    text: str
    missing: Missing = Missing.MATCH


Value = Plain | tuple[Any, ...] | OneOf | Unknown | Absent
"""What an expression is of one packet."""
Expression = Of | Bits | Joined | Plus | Mapped | Constant | OneOf | Opaque


@dataclass(frozen=True, slots=True)
class Range:
    """All from *low* to *high*, both included: an address, a prefix, ports."""

    low: int | Address
    high: int | Address


@dataclass(frozen=True, slots=True)
class Glob:
    """All names that begin so."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Named:
    """The elements of a set of the table."""

    name: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Parts that each fit: an element of a concatenation."""

    parts: tuple["Member", ...]


Member = Plain | Range | Glob | Named | Alike | Opaque
Pairs = tuple[tuple[Member, Any], ...]
"""Keys of a map, each with a value (an Expression) or a statement."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Elements:
    """
    What a value is compared with: the elements of a set or map, with or without a name.

    In a set of networks the longest prefix that holds an address counts, and it may be one that is excepted.
    """

    members: tuple[Member, ...] = ()
    excepted: tuple[Member, ...] = ()
    """ipset's ``nomatch``."""
    pairs: Pairs = ()
    """Of a map, instead of members."""


class Operator(StrEnum):
    """How a value is compared."""

    IN = "in"
    LESS = "<"
    GREATER = ">"
    AT_MOST = "<="
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Test:
    """One question: a value, an operator, an operand."""

    value: Expression
    operand: Elements
    """For ``in``, any of these; else one number."""
    text: str
    """As the dump says it."""
    operator: Operator = Operator.IN
    negated: bool = False

    __test__ = False
    """It is no test of pytest's."""


@dataclass(frozen=True, slots=True)
class Either:
    """Tests of which one must hold."""

    parts: tuple["Question", ...]
    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Both:
    """Tests that all must hold, negated together."""

    parts: tuple["Question", ...]
    text: str
    negated: bool = False


Question = Test | Either | Both | Opaque

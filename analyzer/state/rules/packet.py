"""What rules look at: a packet in one hook. What is not known is None, and becomes unknown wherever it is asked for."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from analyzer.model import Address
from analyzer.model.question import ABSENT, Absent, Field, Missing, OneOf, Unknown, Value
from analyzer.model.rules import Rule
from analyzer.state.rules.names import ICMP, ICMP6, TCP, WITH_PORTS

LOCAL = "local"
"""Instead of an outgoing interface: the packet is for the host itself."""
Original = tuple[Address | OneOf | None, Address | OneOf | None, int | OneOf | None, int | OneOf | None]
"""Source, destination and ports."""
_CT_FIELDS = frozenset((
    Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_CONFIRMED, Field.CT_SEEN_REPLY, Field.CT_ASSURED,
    Field.CT_MARK, Field.CT_SRC, Field.CT_DST, Field.CT_SPORT, Field.CT_DPORT, Field.CT_REPLY_SRC, Field.CT_REPLY_DST,
    Field.CT_REPLY_SPORT, Field.CT_REPLY_DPORT,
))  # fmt: skip
_WITHOUT_CONNECTION = ("INVALID", "UNTRACKED")


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet as one hook sees it."""

    protocol: int
    """IP protocol, as IANA numbers them."""
    src: Address | OneOf | None
    dst: Address | OneOf | None
    sport: int | OneOf | None = None
    dport: int | OneOf | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    tcp_flags: int | None = None
    length: int | None = None
    """Of the IP packet, bytes."""
    ttl: int | None = None
    dscp: int | None = None
    fragment: bool | None = False
    """
    It is a later fragment, which has no ports.

    Where conntrack is, it puts datagrams together before any rule (nf_defrag_ipv4), so of what captures show to be a
    fragment, nobody knows what rules see.
    """
    iif: str | Absent | None = ABSENT
    """Where it came in; absent for one that the host sends."""
    oif: str | Absent | None = ABSENT
    """Where it goes out; absent before it is routed, and for the host itself."""
    port_in: str | Absent | None = None
    """The bridge's port, where br_netfilter shows it to iptables; absent if it came by no bridge."""
    port_out: str | Absent | None = None
    redirected: bool = False
    """It was redirected to the host itself, whatever address that is."""
    bridged: bool = False
    """It is only passed on by a bridge."""
    ct_state: str | None = "NEW"
    """``NEW``, ``ESTABLISHED``, ``RELATED``, ``INVALID`` or ``UNTRACKED``."""
    ct_reply: bool | None = None
    """It goes in conntrack's reply direction."""
    ct_dnat: bool | None = False
    """conntrack has translated the connection's destination: it is another one than before (IPS_DST_NAT)."""
    ct_snat: bool | None = False
    nat_dst: bool = False
    """A rule has decided on the destination, though it may be the one from before (IPS_DST_NAT_DONE)."""
    nat_src: bool = False
    ct_original: Original | None = None
    """Of the connection's first packet, before anything was translated."""
    ct_answers: Original | None = None
    """Of the packets that answer it."""
    ct_to: tuple[Address, int | None] | None = None
    """Where conntrack sends a packet of a connection that it knows: its destination from nat in PREROUTING on."""
    ct_from: tuple[Address, int | None] | None = None
    """Where it says that such a packet comes from: its source from nat in POSTROUTING and INPUT on."""
    ct_mark: int | None = None
    zoned: Rule | None = None
    """What chose another conntrack zone than the first for it, before conntrack looks."""
    mark: int | None = 0
    src_mac: int | None = None
    dst_mac: int | None = None

    @property
    def version(self) -> int:
        """The IP version, by either address."""
        ends = (one.low if isinstance(one, OneOf) else one for one in (self.dst, self.src))
        return next((one.version for one in ends if isinstance(one, IPv4Address | IPv6Address)), 4)

    @property
    def dst_is_group(self) -> bool:
        """Tell whether it is for a multicast group."""
        return isinstance(self.dst, IPv4Address | IPv6Address) and self.dst.is_multicast

    def look(self, field: Field) -> Value:
        """Tell a field that needs nothing but the packet."""
        if field in _CT_FIELDS and self.ct_state in _WITHOUT_CONNECTION:
            return ABSENT
        if field in _ORIGINAL or field in _ANSWERS:
            return self._of_connection(field)
        found = self._plain(field)
        return Unknown(Missing.FIELD, field) if found is None else found

    def _of_connection(self, field: Field) -> Value:
        ends, place = (self.ct_original, _ORIGINAL[field]) if field in _ORIGINAL else (self.ct_answers, _ANSWERS[field])
        found = None if ends is None else ends[place]
        return Unknown(Missing.FIELD, field) if found is None else found

    def _plain(self, field: Field) -> Value | None:
        if field in (Field.SPORT, Field.DPORT, Field.TCP_FLAGS):
            has = self.protocol == TCP if field is Field.TCP_FLAGS else self.protocol in WITH_PORTS
            if self.fragment or not has:
                return ABSENT
            return {Field.SPORT: self.sport, Field.DPORT: self.dport}.get(field, self.tcp_flags)
        if field in (Field.ICMP_TYPE, Field.ICMP_CODE, Field.ICMP6_TYPE, Field.ICMP6_CODE):
            wanted = ICMP if field in (Field.ICMP_TYPE, Field.ICMP_CODE) else ICMP6
            if self.protocol != wanted or self.fragment:
                return ABSENT
            return self.icmp_type if field in (Field.ICMP_TYPE, Field.ICMP6_TYPE) else self.icmp_code
        known = _BY_STATE.get(field)
        if known is not None and self.ct_state in known:
            return known[self.ct_state]
        if field is Field.CT_DIRECTION:
            return None if self.ct_reply is None else "reply" if self.ct_reply else "original"
        name = _NAMES.get(field)
        return None if name is None else getattr(self, name)


_BY_STATE: dict[Field, dict[str | None, Value]] = {
    # nf_conntrack_confirm() comes behind all hooks of a first packet; one that is sent again may be confirmed.
    Field.CT_CONFIRMED: {"ESTABLISHED": True},
    Field.CT_SEEN_REPLY: {"ESTABLISHED": True, "NEW": False},
    Field.CT_ASSURED: {"NEW": False},
    Field.CT_DIRECTION: {"NEW": "original"},
}
"""What conntrack's state of a packet says of its connection."""
_NAMES = {
    Field.PROTOCOL: "protocol", Field.VERSION: "version", Field.SRC: "src", Field.DST: "dst", Field.LENGTH: "length",
    Field.TTL: "ttl", Field.DSCP: "dscp", Field.FRAGMENT: "fragment", Field.IIF: "iif", Field.OIF: "oif",
    Field.PORT_IN: "port_in", Field.PORT_OUT: "port_out", Field.BRIDGED: "bridged", Field.SRC_MAC: "src_mac",
    Field.DST_MAC: "dst_mac", Field.MARK: "mark", Field.CT_STATE: "ct_state", Field.CT_SNAT: "ct_snat",
    Field.CT_DNAT: "ct_dnat", Field.CT_MARK: "ct_mark",
}  # fmt: skip
_ORIGINAL = {Field.CT_SRC: 0, Field.CT_DST: 1, Field.CT_SPORT: 2, Field.CT_DPORT: 3}
_ANSWERS = {Field.CT_REPLY_SRC: 0, Field.CT_REPLY_DST: 1, Field.CT_REPLY_SPORT: 2, Field.CT_REPLY_DPORT: 3}

"""ARP (RFC 826) and neighbour discovery (RFC 4861), for all messages at once: rows of NEIGHBOURS.

Both ask "who has this address?"; the table tells them in the same words.
"""

import numpy as np

from analyzer.decode import offsets as o
from analyzer.decode.gather import Gather, u16, u48, u64
from analyzer.decode.network import Payload
from analyzer.schema import NEIGHBOURS, Array, Columns, Int64, Layer

MAX_NDP_OPTIONS = 4
"""Options searched for a link-layer address; solicitations and advertisements carry one or two."""


def decode_arp(gather: Gather, kind: Array, payload: Payload, out: Columns) -> Columns:
    """Decode ARP for Ethernet and IPv4; other ARP is malformed here."""
    rows = np.flatnonzero(kind == o.ETHERTYPE_ARP)
    kept = payload.kept[rows]
    cut = (kept < o.ARP_LENGTH) & (payload.length[rows] >= o.ARP_LENGTH)
    message = gather.rows(payload.at[rows], o.ARP_LENGTH)
    head = u48(message, 0)
    good = (kept >= o.ARP_LENGTH) & (head == ARP_HEAD)
    out["layers"][rows] |= ~(good | cut) * np.uint32(Layer.MALFORMED)
    rows, message = rows[good], message[good]
    operation = u16(message, 6)
    sender_mac, target_mac = u48(message, 8), u48(message, 18)
    addresses = np.ascontiguousarray(message[:, 14:18]), np.ascontiguousarray(message[:, 24:28])
    sender, target = (a.view(">u4")[:, 0].astype(np.uint64) for a in addresses)
    answer = operation == 2
    out["layers"][rows] |= np.uint32(Layer.ARP | Layer.NEIGHBOUR)
    out["src"][rows], out["dst"][rows] = sender, target
    payload.length[rows] = 0
    found = NEIGHBOURS.empty(len(rows))
    found["row"][:] = rows
    found["op"][:] = np.minimum(operation, 255)
    found["asked"][:] = np.where(answer, sender, target)
    found["mac"][:], found["to_mac"][:] = sender_mac, target_mac
    found["peer"][:] = np.where(answer, target, sender)
    return found


ARP_HEAD = o.ARP_ETHERNET_IPV4
"""The first six bytes, as one number."""


def decode_ndp(gather: Gather, icmp: Int64, payload: Payload, out: Columns) -> Columns | None:
    """
    Decode neighbour solicitations and advertisements; None if there are none.

    *icmp* are the rows of ICMP messages; *payload* lies behind the ICMPv6 header of 8 bytes already.
    """
    icmp = icmp[out["layers"][icmp] & np.uint32(Layer.IPV6) != 0]
    kind = out["icmp_type"][icmp]
    about = (kind == o.NDP_SOLICITATION) | (kind == o.NDP_ADVERTISEMENT)
    rows = icmp[about & (out["icmp_code"][icmp] == 0) & (payload.kept[icmp] >= 16)]
    if not len(rows):
        return None
    target = gather.rows(payload.at[rows], 16)
    advertised = out["icmp_type"][rows] == o.NDP_ADVERTISEMENT
    out["layers"][rows] |= np.uint32(Layer.NEIGHBOUR)
    found = NEIGHBOURS.empty(len(rows))
    found["row"][:] = rows
    found["op"][:] = np.where(advertised, 2, 1)
    found["asked_hi"][:], found["asked"][:] = u64(target, 0), u64(target, 8)
    found["mac"][:] = _link_address(gather, payload, rows, advertised, out["eth_src"][rows])
    found["to_mac"][:] = out["eth_dst"][rows]
    found["peer_hi"][:] = np.where(advertised, out["dst_hi"][rows], out["src_hi"][rows])
    found["peer"][:] = np.where(advertised, out["dst"][rows], out["src"][rows])
    return found


def _link_address(gather: Gather, payload: Payload, rows: Int64, advertised: Array, default: Int64) -> Int64:
    """Return the MAC of the source or target link-layer address option, else *default*."""
    mac = default.copy()
    wanted = np.where(advertised, o.NDP_OPT_TARGET, o.NDP_OPT_SOURCE)
    at = payload.at[rows] + 16
    end = payload.end[rows]
    searching = np.arange(len(rows))
    for _ in range(MAX_NDP_OPTIONS):
        searching = searching[at[searching] + 8 <= end[searching]]
        if not len(searching):
            break
        option = gather.rows(at[searching], 8)
        size = option[:, 1].astype(np.int64) * 8
        hit = (option[:, 0] == wanted[searching]) & (size == 8)
        mac[searching[hit]] = u48(option[hit], 2)
        going = ~hit & (size > 0)
        at[searching] += size
        searching = searching[going]
    return mac

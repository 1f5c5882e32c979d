"""The packets that ICMP errors quote (RFC 792, RFC 4884, RFC 4443), for all errors at once: rows of QUOTES."""

import numpy as np

from analyzer.decode import offsets as o
from analyzer.decode.gather import Gather, u16
from analyzer.decode.network import Payload, decode_network
from analyzer.decode.transport import decode_transport
from analyzer.schema import FRAMES, QUOTES, Columns, Int64, Layer

_ICMP_ERROR = np.zeros((2, 256), bool)
_ICMP_ERROR[0, o.ICMP_ERRORS] = True
_ICMP_ERROR[1, o.ICMP6_ERRORS] = True


def decode_quotes(gather: Gather, icmp: Int64, payload: Payload, out: Columns) -> Columns | None:
    """
    Decode the packets that ICMP errors quote; None if there are no errors.

    *icmp* are the rows of ICMP messages; *payload* lies behind their headers.
    """
    version6 = (out["layers"][icmp] & np.uint32(Layer.IPV6) != 0).astype(np.intp)
    error = _ICMP_ERROR[version6, out["icmp_type"][icmp]]
    rows, version6 = icmp[error], version6[error]
    if not len(rows):
        return None
    at, end = payload.at[rows], payload.end[rows]
    wire_end = at + np.maximum(payload.length[rows], 0)
    kind = np.where(version6 == 1, o.ETHERTYPE_IPV6, o.ETHERTYPE_IPV4)
    quoted = FRAMES.empty(len(rows))
    decode_transport(gather, decode_network(gather, at, end, wire_end, kind, quoted), quoted)
    good = quoted["layers"] & np.uint32(Layer.IPV4 | Layer.IPV6) != 0
    found = {name: quoted[name][good] for name in QUOTES.dtypes if name in quoted}
    head = gather.rows(at[good] - o.ICMP_HEADER, o.ICMP_HEADER)
    rows = rows[good]
    kind6, icmp_type, icmp_code = version6[good] == 1, out["icmp_type"][rows], out["icmp_code"][rows]
    too_big = ~kind6 & (icmp_type == o.ICMP_UNREACHABLE) & (icmp_code == o.ICMP_FRAGMENTATION_NEEDED)
    too_big6 = kind6 & (icmp_type == o.ICMP6_TOO_BIG)
    mtu = np.where(too_big, u16(head, 6), 0).astype(np.uint32)
    mtu = np.where(too_big6, (u16(head, 4).astype(np.uint32) << np.uint32(16)) | u16(head, 6), mtu)
    found["row"], found["mtu"] = rows, mtu
    out["layers"][rows] |= np.uint32(Layer.QUOTE)
    return {name: found[name].astype(dtype, copy=False) for name, dtype in QUOTES.dtypes.items()}

"""Where a flow's ports are used for something new, and whose flow fragments belong to: told from small tables.

Frames may be cut into ranges in any way. Each range notes its fragments, its handshakes, and when its flows of other
protocols were busy; all notes together tell what the frames as a whole would.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.decode import offsets as o
from analyzer.decode.digest import mix_rows
from analyzer.link.fragments import REASSEMBLY4_NS, REASSEMBLY6_NS, nearest_first
from analyzer.link.identity import any_has, has
from analyzer.link.runs import recorded_at
from analyzer.link.sorting import changes, lengths, number_groups, stable_order
from analyzer.schema import Columns, Int64, Layer

TIMEOUT_NS = {True: 120_000_000_000, False: 30_000_000_000}
"""nf_conntrack_udp_timeout_stream where both directions were seen, else nf_conntrack_udp_timeout."""
ICMP_TIMEOUT_NS = 30_000_000_000
SHORTEST_NS = min(*TIMEOUT_NS.values(), ICMP_TIMEOUT_NS)


@dataclass(frozen=True, slots=True)
class FlowTimes:
    """When the flows of some frames were busy."""

    syns: Columns
    """A row a TCP handshake's first segment: ``flow`` as KEYS has it, ``time_ns``, ``at`` as ``recorded_at``, seq."""
    busy: Columns
    """
    A row a time in which a flow of another protocol never was silent for SHORTEST_NS.

    ``flow`` without its direction, ``begin_ns`` and ``begin_at`` of its first frame, ``end_ns``, whether that frame is
    ``icmp``, and whether frames went ``forth`` and ``back``.
    """


@dataclass(frozen=True, slots=True)
class Cuts:
    """Frames with which a flow begins a new conversation, sorted by all three."""

    flow: Int64
    """Without its direction."""
    time_ns: Int64
    at: Int64

    def conversation_keys(self, frames: Columns, flow: Int64, files: Int64) -> Int64:
        """
        Tell conversations apart.

        Args:
            frames: FRAMES, n rows.
            flow: (n,) of KEYS.
            files: (points,) number of each point's file.

        Returns:
            (n,) A number for each frame's conversation, the same whatever other frames there are; 0 without a tuple.
        """
        key: Int64 = flow >> 1
        if not len(self.flow):
            return key
        rows = np.flatnonzero(np.isin(key, np.unique(self.flow)))
        flows = np.concatenate((self.flow, key[rows]))
        times = np.concatenate((self.time_ns, frames["time_ns"][rows]))
        at = np.concatenate((self.at, recorded_at(frames, files, rows)))
        order = np.lexsort((np.arange(len(flows)), at, times, flows))  # a cut comes before its own frame
        is_cut = order < len(self.flow)
        count = np.cumsum(is_cut)
        start = np.flatnonzero(changes(flows[order]))
        count = count - np.repeat(count[start] - is_cut[start], lengths(start, len(order)))
        cuts_before = np.empty(len(order), np.int64)
        cuts_before[order] = count
        later = cuts_before[len(self.flow) :]
        mixed = mix_rows(key[rows].view(np.uint64), later.astype(np.uint64), 2).view(np.int64)
        key[rows] = np.where(later > 0, mixed | 1, key[rows])
        return key


def flow_times(frames: Columns, flow: Int64, files: Int64, time_order: Int64) -> FlowTimes:
    """
    Note when flows were busy.

    Args:
        frames: FRAMES, n rows.
        flow: (n,) of KEYS.
        files: (points,) number of each point's file.
        time_order: (n,) its rows, sorted by time.
    """
    known = flow != 0
    syn = np.flatnonzero((frames["tcp_flags"] & (o.SYN | o.ACK) == o.SYN) & known)
    syns = {"flow": flow[syn], "time_ns": frames["time_ns"][syn], "at": recorded_at(frames, files, syn)}
    syns["seq"] = frames["seq"][syn]
    quiet = time_order[((frames["proto"] != o.PROTO_TCP) & known)[time_order]]
    of, _ = number_groups(flow[quiet] >> 1)
    quiet = quiet[stable_order(of)]
    times, flows = frames["time_ns"][quiet], flow[quiet] >> 1
    begins = changes(flows)
    begins[1:] |= np.diff(times) > SHORTEST_NS
    start = np.flatnonzero(begins)
    back = flow[quiet] & 1 != 0
    first = quiet[start]
    busy: Columns = {
        "flow": flows[start],
        "begin_ns": times[start],
        "begin_at": recorded_at(frames, files, first),
        "end_ns": times[start + lengths(start, len(quiet)) - 1],
        "icmp": has(frames["layers"][first], Layer.ICMP),
        "forth": np.logical_or.reduceat(~back, start) if len(start) else back,
        "back": np.logical_or.reduceat(back, start) if len(start) else back,
    }
    return FlowTimes(syns, busy)


def find_cuts(noted: Sequence[FlowTimes]) -> Cuts:
    """Find where conversations begin anew: at a new TCP handshake, after a silence that ends a conntrack entry."""
    syns, busy = ({name: np.concatenate([one[name] for one in part]) for name in part[0]}
                  for part in ([one.syns for one in noted], [one.busy for one in noted]))  # fmt: skip
    anew = [_handshakes(syns), _silences(busy)]
    flow, time_ns, at = (np.concatenate(columns) for columns in zip(*anew, strict=True))
    order = np.lexsort((at, time_ns, flow))
    return Cuts(flow[order], time_ns[order], at[order])


def _handshakes(syns: Columns) -> tuple[Int64, Int64, Int64]:
    order = np.lexsort((syns["at"], syns["time_ns"], syns["flow"] >> 1))
    flow, seq = syns["flow"][order], syns["seq"][order]
    anew = order[~changes(flow) & changes(seq)]
    return syns["flow"][anew] >> 1, syns["time_ns"][anew], syns["at"][anew]


def _silences(busy: Columns) -> tuple[Int64, Int64, Int64]:
    order = np.lexsort((busy["begin_at"], busy["begin_ns"], busy["flow"]))
    busy = {name: column[order] for name, column in busy.items()}
    flow, end_ns = busy["flow"], busy["end_ns"].copy()
    begins = changes(flow)
    start = np.flatnonzero(begins)
    number = np.cumsum(begins) - 1
    if not len(start):
        return flow, end_ns, end_ns
    # A flow's latest end so far: ranges overlap in time, since each point's frames may be one of their own.
    behind = np.append(start[1:], len(flow))
    several = np.flatnonzero(behind - start > 1)
    for first, last in zip(start[several].tolist(), behind[several].tolist(), strict=True):
        end_ns[first:last] = np.maximum.accumulate(end_ns[first:last])
    both = np.logical_or.reduceat(busy["forth"], start) & np.logical_or.reduceat(busy["back"], start)
    limit = np.where(both[number], TIMEOUT_NS[True], TIMEOUT_NS[False])
    limit[busy["icmp"]] = ICMP_TIMEOUT_NS
    silence = busy["begin_ns"][1:] - end_ns[:-1] > limit[1:]
    anew = np.flatnonzero(silence & ~begins[1:]) + 1
    return flow[anew], busy["begin_ns"][anew], busy["begin_at"][anew]


def fragments(frames: Columns, flow: Int64, files: Int64) -> Columns:
    """Note a range's fragments: ``row`` of its FRAMES, the ``datagram``'s hash, and what its first one is told by."""
    rows: Int64 = np.zeros(0, np.int64)
    if any_has(frames["layers"], Layer.FRAGMENT):
        rows = np.flatnonzero(has(frames["layers"], Layer.FRAGMENT))
    datagram = frames["ip_id"][rows].astype(np.uint64)
    for lane, name in enumerate(("src_hi", "src", "dst_hi", "dst", "proto", "point")):
        datagram = mix_rows(datagram, frames[name][rows].astype(np.uint64), lane % 4)
    layers = frames["layers"][rows]
    return {
        "row": rows,
        "datagram": datagram.view(np.int64),
        "time_ns": frames["time_ns"][rows],
        "at": recorded_at(frames, files, rows),
        "flow": flow[rows],
        "first": has(layers, Layer.PORTS | Layer.ECHO),
        "later": frames["frag_offset"][rows] > 0,
        "six": has(layers, Layer.IPV6),
    }


def inherited(noted: Sequence[Columns]) -> list[tuple[Int64, Int64]]:
    """Return for each range the rows of later fragments, and the flow of the first one, which alone has the ports."""
    every = {name: np.concatenate([one[name] for one in noted]) for name in noted[0]}
    order = np.lexsort((every["at"], every["time_ns"]))
    group, _ = number_groups(every["datagram"][order])
    limit = np.where(every["six"][order], REASSEMBLY6_NS, REASSEMBLY4_NS)
    head = nearest_first(group, every["time_ns"][order], every["first"][order], limit)
    flow, known = every["flow"].copy(), np.zeros(len(order), bool)
    later = np.flatnonzero((head >= 0) & every["later"][order])
    flow[order[later]] = every["flow"][order[head[later]]]
    known[order[later]] = True
    behind = np.cumsum([len(one["row"]) for one in noted])
    parts = zip(*(np.split(column, behind[:-1]) for column in (every["row"], flow, known)), strict=True)
    return [(row[told], of[told]) for row, of, told in parts]

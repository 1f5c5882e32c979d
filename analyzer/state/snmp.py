"""What the kernel counts where a packet is lost: each counter's meaning, its place on the way, and what helps.

Names are those of ``nstat`` (include/uapi/linux/snmp.h, net/ipv4/proc.c, net/ipv6/proc.c), ``conntrack -S``, ``ip -s
link`` (struct rtnl_link_stats64), ``tc -s qdisc`` and ``/proc/net/softnet_stat``. The file of each is where the kernel
counts it.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Where(StrEnum):
    """Where on its way a packet is counted; the order is that of the way."""

    DEVICE_IN = "received by an interface"
    BACKLOG = "waiting for a processor"
    IN = "read by IP"
    CONNTRACK = "tracked"
    ROUTE = "routed"
    FRAGMENTS = "put together or cut"
    OUT = "sent by IP"
    QUEUE = "queued at an interface"
    DEVICE_OUT = "sent by an interface"
    HOST = "given to the host's own programs"


ON_THE_WAY = (
    Where.DEVICE_IN, Where.BACKLOG, Where.IN, Where.CONNTRACK, Where.ROUTE, Where.FRAGMENTS, Where.OUT, Where.QUEUE,
    Where.DEVICE_OUT,
)  # fmt: skip
"""Where a packet that the host only passes on can be lost."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter."""

    name: str
    where: Where
    meaning: str
    file: str
    """The kernel's, that counts it."""
    helps: str = ""


_Row = tuple[str, Where, str, str, str]
_IP: tuple[_Row, ...] = (
    ("InHdrErrors", Where.IN, "headers that make no sense, or a TTL that ended", "ip_input.c, ip_forward.c", ""),
    ("InAddrErrors", Where.ROUTE, "not for this host, where it does not forward", "route.c",
     "sysctl net.ipv4.ip_forward"),
    ("InUnknownProtos", Where.HOST, "protocols that nobody here handles", "ip_input.c", ""),
    ("InDiscards", Where.IN, "no memory", "ip_input.c", ""),
    ("OutDiscards", Where.HOST, "own packets that rules, a queue or memory refused", "ip_output.c, raw.c",
     "tc -s qdisc; iptables -L OUTPUT -v"),
    ("OutNoRoutes", Where.HOST, "own packets without a route", "ip_output.c, udp.c, tcp_ipv4.c",
     "ip route get ADDRESS"),
    ("ReasmTimeout", Where.FRAGMENTS, "fragments whose others did not come in time", "ip_fragment.c", ""),
    ("ReasmFails", Where.FRAGMENTS, "fragments that could not be put together", "ip_fragment.c",
     "sysctl net.ipv4.ipfrag_high_thresh"),
    ("FragFails", Where.FRAGMENTS, "too long for the way out, and not to be fragmented; or that failed",
     "ip_forward.c, ip_output.c", "the MTU of the network"),
)  # fmt: skip
_IP6: tuple[_Row, ...] = (
    ("InHdrErrors", Where.IN, "headers that make no sense, or a hop limit that ended",
     "ip6_input.c, ip6_output.c, exthdrs.c", ""),
    ("InTooBigErrors", Where.FRAGMENTS, "too long for the way out", "ip6_output.c", "the MTU of the network"),
    ("InNoRoutes", Where.ROUTE, "packets without a route, or with one that is an error", "route.c",
     "ip -6 route get ADDRESS"),
    ("InAddrErrors", Where.ROUTE, "forwarding switched off, or a source that may not be forwarded",
     "ip6_output.c, route.c, exthdrs.c", "sysctl net.ipv6.conf.all.forwarding"),
    ("InUnknownProtos", Where.HOST, "protocols that nobody here handles", "ip6_input.c", ""),
    ("InTruncatedPkts", Where.IN, "packets shorter than their header says", "ip6_input.c", ""),
    ("InDiscards", Where.IN, "no memory, IPv6 switched off on the way in, or a policy of IPsec",
     "ip6_input.c, ip6_output.c", "sysctl net.ipv6.conf.IF.disable_ipv6"),
    ("OutDiscards", Where.OUT, "no memory, or IPv6 switched off on the way out", "ip6_output.c",
     "sysctl net.ipv6.conf.IF.disable_ipv6"),
    ("OutNoRoutes", Where.ROUTE, "own packets without a route, or no room for a neighbour", "ip6_output.c, route.c",
     "sysctl net.ipv6.neigh.default.gc_thresh3"),
    ("ReasmTimeout", Where.FRAGMENTS, "fragments whose others did not come in time", "reassembly.c", ""),
    ("ReasmFails", Where.FRAGMENTS, "fragments that could not be put together", "reassembly.c", ""),
    ("FragFails", Where.FRAGMENTS, "too long for the way out, and not to be fragmented", "ip6_output.c", ""),
)  # fmt: skip
_IP_EXT: tuple[_Row, ...] = (
    ("InNoRoutes", Where.ROUTE, "packets to pass on, without any route", "route.c",
     "ip route get ADDRESS from S iif IF"),
    ("InTruncatedPkts", Where.IN, "packets shorter than their header says", "ip_input.c", ""),
    ("InCsumErrors", Where.IN, "headers with a wrong checksum", "ip_input.c", ""),
    ("ReasmOverlaps", Where.FRAGMENTS, "fragments that overlap", "ip_fragment.c", ""),
)  # fmt: skip
_ICMP: tuple[_Row, ...] = (
    ("InErrors", Where.HOST, "ICMP messages that make no sense, or are about no connection here", "icmp.c", ""),
    ("InCsumErrors", Where.HOST, "ICMP messages with a wrong checksum", "icmp.c", ""),
    ("OutErrors", Where.HOST, "ICMP messages that could not be built", "icmp.c", ""),
    ("OutRateLimitHost", Where.HOST, "ICMP errors beyond the rate for one peer", "icmp.c",
     "sysctl net.ipv4.icmp_ratelimit"),
    ("OutDestUnreachs", Where.ROUTE, "senders told: no route, a rule that rejects, a silent neighbour, a closed port",
     "icmp.c", "tcpdump icmp"),
    ("OutTimeExcds", Where.ROUTE, "senders told: the TTL ended, or fragments came too late", "icmp.c", "tcpdump icmp"),
)  # fmt: skip
_ICMP4: tuple[_Row, ...] = (
    ("OutRateLimitGlobal", Where.HOST, "ICMP errors beyond the host's rate", "icmp.c",
     "sysctl net.ipv4.icmp_msgs_per_sec"),
)  # fmt: skip
_ICMP6: tuple[_Row, ...] = (
    ("OutPktTooBigs", Where.FRAGMENTS, "senders told: too long for the way out", "ip6_output.c",
     "the MTU of the network"),
)  # fmt: skip
_UDP: tuple[_Row, ...] = (
    ("NoPorts", Where.HOST, "datagrams for a port of this host where nobody listens", "udp.c", "ss -lnup"),
    ("InErrors", Where.HOST, "datagrams that no socket took", "udp.c", "ss -nump"),
    ("RcvbufErrors", Where.HOST, "a socket's receive buffer was full", "udp.c", "sysctl net.core.rmem_max"),
    ("SndbufErrors", Where.HOST, "a send buffer, memory or the queue of the interface was full", "udp.c",
     "sysctl net.core.wmem_max"),
    ("InCsumErrors", Where.HOST, "datagrams with a wrong checksum", "udp.c", "ethtool -K IF rx off"),
    ("MemErrors", Where.HOST, "no memory left for datagrams", "udp.c", "sysctl net.ipv4.udp_mem"),
    ("IgnoredMulti", Where.HOST, "datagrams for many that no socket wanted", "udp.c", ""),
)  # fmt: skip
_TCP: tuple[_Row, ...] = (
    ("AttemptFails", Where.HOST, "connections that failed while they were made", "tcp.c, tcp_minisocks.c", ""),
    ("EstabResets", Where.HOST, "own connections that ended by a reset", "tcp.c", ""),
    ("InErrs", Where.HOST, "segments that make no sense", "tcp_ipv4.c, tcp_input.c", ""),
    ("InCsumErrors", Where.HOST, "segments with a wrong checksum", "tcp_ipv4.c, tcp_input.c", "ethtool -K IF rx off"),
    ("RetransSegs", Where.HOST, "own segments that were sent again", "tcp_output.c", ""),
    ("OutRsts", Where.HOST, "resets that this host sent", "tcp_ipv4.c, tcp_output.c", ""),
)  # fmt: skip
_TCP_EXT: tuple[_Row, ...] = (
    ("IPReversePathFilter", Where.ROUTE, "sources whose way back is by another interface, or that have none",
     "ip_input.c", "sysctl net.ipv4.conf.all.rp_filter"),
    ("ListenOverflows", Where.HOST, "connections for a program that does not accept them fast enough",
     "tcp_ipv4.c, tcp_input.c", "ss -ltn; net.core.somaxconn"),
    ("ListenDrops", Where.HOST, "connections that a listening socket could not take", "tcp_ipv4.c, tcp_input.c",
     "ss -ltn"),
    ("TCPReqQFullDrop", Where.HOST, "SYNs beyond the queue, without cookies", "tcp_input.c",
     "sysctl net.ipv4.tcp_max_syn_backlog"),
    ("TCPReqQFullDoCookies", Where.HOST, "SYNs beyond the queue, answered with cookies", "tcp_input.c", ""),
    ("SyncookiesFailed", Where.HOST, "answers to cookies that nobody gave", "syncookies.c", ""),
    ("EmbryonicRsts", Where.HOST, "resets or bad SYNs for connections that were being made", "tcp_minisocks.c", ""),
    ("TCPDeferAcceptDrop", Where.HOST, "handshakes that are let wait until there is data (TCP_DEFER_ACCEPT)",
     "tcp_minisocks.c", ""),
    ("TCPBacklogDrop", Where.HOST, "a socket's backlog was full", "tcp_ipv4.c", "sysctl net.ipv4.tcp_rmem"),
    ("TCPMinTTLDrop", Where.HOST, "a TTL below what the socket asks for (IP_MINTTL)", "tcp_ipv4.c", ""),
    ("PFMemallocDrop", Where.HOST, "no memory but for swapping", "net/core/filter.c", ""),
    ("TCPRcvQDrop", Where.HOST, "data in order, and no memory to receive it", "tcp_input.c", ""),
    ("TCPOFODrop", Where.HOST, "out of order, and no room for it", "tcp_input.c", ""),
    ("TCPZeroWindowDrop", Where.HOST, "data for a window of zero", "tcp_input.c", ""),
    ("TCPWqueueTooBig", Where.HOST, "segments that were not cut, for the write queue is too long", "tcp_output.c", ""),
    ("TCPTimeWaitOverflow", Where.HOST, "too many connections in TIME_WAIT", "tcp_minisocks.c",
     "sysctl net.ipv4.tcp_max_tw_buckets"),
    ("TCPMemoryPressures", Where.HOST, "times when TCP came under pressure of memory", "tcp.c",
     "sysctl net.ipv4.tcp_mem"),
    ("PruneCalled", Where.HOST, "attempts to make a receive buffer smaller", "tcp_input.c", ""),
    ("RcvPruned", Where.HOST, "segments dropped, for that attempt failed", "tcp_input.c", ""),
    ("OfoPruned", Where.HOST, "times when the queue of out-of-order segments was cut", "tcp_input.c", ""),
    ("OutOfWindowIcmps", Where.HOST, "ICMP errors about no segment in flight", "tcp_ipv4.c", ""),
    ("LockDroppedIcmps", Where.HOST, "ICMP errors for a socket in use", "tcp_ipv4.c", ""),
    ("PAWSActive", Where.HOST, "answers to own SYNs refused by the timestamp that they echo", "tcp_input.c", ""),
    ("PAWSEstab", Where.HOST, "segments refused by their timestamp: two hosts behind one NAT",
     "tcp_input.c, tcp_minisocks.c", "sysctl net.ipv4.tcp_timestamps"),
    ("TSEcrRejected", Where.HOST, "handshakes that echo a timestamp never sent", "tcp_minisocks.c", ""),
    ("BeyondWindow", Where.HOST, "segments beyond the window", "tcp_input.c", ""),
    ("TCPChallengeACK", Where.HOST, "challenges sent for resets and SYNs that may be forged (RFC 5961)", "tcp_input.c",
     ""),
    ("TCPSYNChallenge", Where.HOST, "SYNs in a connection that is there", "tcp_input.c", ""),
    ("TCPACKSkippedSynRecv", Where.HOST, "acknowledgements not sent, for there were too many", "tcp_input.c", ""),
    ("TCPACKSkippedPAWS", Where.HOST, "acknowledgements not sent, for there were too many", "tcp_input.c", ""),
    ("TCPACKSkippedSeq", Where.HOST, "acknowledgements not sent, for there were too many", "tcp_input.c", ""),
    ("TCPACKSkippedChallenge", Where.HOST, "challenges not sent, for there were too many", "tcp_input.c", ""),
    ("TCPAbortOnData", Where.HOST, "closed with no time to linger, or data came after the end", "tcp.c, tcp_input.c",
     ""),
    ("TCPAbortOnClose", Where.HOST, "closed by the program with data that it had not read", "tcp.c", ""),
    ("TCPAbortOnMemory", Where.HOST, "ended without a program: too many of them, or no memory", "tcp.c, tcp_timer.c",
     "sysctl net.ipv4.tcp_max_orphans"),
    ("TCPAbortOnTimeout", Where.HOST, "given up after retransmissions, probes or keepalives", "tcp_timer.c", ""),
    ("TCPAbortOnLinger", Where.HOST, "ended at once while closing (TCP_LINGER2)", "tcp.c", ""),
    ("TCPAbortFailed", Where.HOST, "resets that could not be sent", "tcp_output.c", ""),
    ("TCPTimeouts", Where.HOST, "own segments that nothing acknowledged in time", "tcp_timer.c", ""),
    ("TCPSynRetrans", Where.HOST, "own SYNs and answers to SYNs that were sent again", "tcp_output.c", ""),
    ("TCPRetransFail", Where.HOST, "own segments that could not be sent again", "tcp_output.c", ""),
    ("TCPMTUPFail", Where.HOST, "probes for a longer path MTU that got lost", "tcp_input.c", ""),
    ("TCPSpuriousRtxHostQueues", Where.HOST, "segments still in the host's own queue when they were sent again",
     "tcp_output.c", ""),
    ("TCPMD5NotFound", Where.HOST, "segments without the signature that is asked for", "tcp.c", ""),
    ("TCPMD5Unexpected", Where.HOST, "segments with a signature that nobody asked for", "tcp.c", ""),
    ("TCPMD5Failure", Where.HOST, "segments with a wrong signature", "tcp.c", ""),
    ("TCPLostRetransmit", Where.HOST, "retransmissions that were lost again", "tcp_input.c", ""),
    ("TCPAOBad", Where.HOST, "segments with a wrong signature (TCP-AO)", "tcp_ao.c", ""),
    ("TCPAOKeyNotFound", Where.HOST, "segments signed with a key that nobody knows (TCP-AO)", "tcp_ao.c", ""),
    ("TCPAORequired", Where.HOST, "segments without the signature that is asked for (TCP-AO)", "tcp_ao.c", ""),
)  # fmt: skip
_CONNTRACK: tuple[_Row, ...] = (
    ("drop", Where.CONNTRACK, "first packets without an entry: the table is full, or memory is",
     "nf_conntrack_core.c, nf_conntrack_proto.c", "sysctl net.netfilter.nf_conntrack_max"),
    ("early_drop", Where.CONNTRACK, "entries that had to make room", "nf_conntrack_core.c",
     "sysctl net.netfilter.nf_conntrack_max"),
    ("insert_failed", Where.CONNTRACK, "entries whose place was taken: a race, no free port, or a bucket too long",
     "nf_conntrack_core.c", ""),
    ("invalid", Where.CONNTRACK, "packets that fit no connection: they pass untranslated, unless a rule drops them",
     "nf_conntrack_core.c", "sysctl net.netfilter.nf_conntrack_tcp_be_liberal"),
    ("error", Where.CONNTRACK, "ICMP with a wrong header, or about no connection that is known", "nf_conntrack_core.c",
     ""),
    ("chaintoolong", Where.CONNTRACK, "too many entries in one bucket", "nf_conntrack_core.c",
     "sysctl net.netfilter.nf_conntrack_buckets"),
)  # fmt: skip
_LINK: tuple[_Row, ...] = (
    ("rx.errors", Where.DEVICE_IN, "frames that came in broken", "the driver", "ethtool -S IF"),
    ("rx.dropped", Where.DEVICE_IN, "frames that nobody took, or that there was no room for",
     "net/core/dev.c, gro_cells.c, the driver", "ethtool -S IF"),
    ("rx.over_errors", Where.DEVICE_IN, "frames that the card had no room for", "the driver", "ethtool -G IF"),
    ("rx.length_errors", Where.DEVICE_IN, "frames of a wrong length", "the driver", "ip link: the MTU"),
    ("rx.crc_errors", Where.DEVICE_IN, "frames with a wrong checksum: cable or card", "the driver", ""),
    ("rx.frame_errors", Where.DEVICE_IN, "frames that end in the midst of a byte", "the driver", ""),
    ("rx.fifo_errors", Where.DEVICE_IN, "frames that the card could not store", "the driver", "ethtool -G IF"),
    ("rx.missed_errors", Where.DEVICE_IN, "frames that the card had to leave", "the driver", "ethtool -G IF"),
    ("rx.nohandler", Where.DEVICE_IN, "frames on an interface that is inactive", "net/core/dev.c", ""),
    ("tx.errors", Where.DEVICE_OUT, "frames that could not be sent", "the driver", "ethtool -S IF"),
    ("tx.dropped", Where.DEVICE_OUT, "frames that were thrown away on the way out",
     "net/core/dev.c, net/sched/sch_generic.c, the driver", "ip link; ethtool -S IF"),
    ("tx.carrier_errors", Where.DEVICE_OUT, "frames for a cable that is not there", "the driver", "ip link"),
    ("tx.fifo_errors", Where.DEVICE_OUT, "frames that the card could not take", "the driver", "ethtool -G IF"),
    ("tx.aborted_errors", Where.DEVICE_OUT, "frames that were given up", "the driver", ""),
    ("tx.window_errors", Where.DEVICE_OUT, "late collisions", "the driver", ""),
    ("tx.heartbeat_errors", Where.DEVICE_OUT, "a medium that does not answer", "the driver", ""),
)  # fmt: skip
_QDISC: tuple[_Row, ...] = (
    ("drops", Where.QUEUE, "a queue that was full, or meant to drop", "net/sched/sch_*.c", "tc -s qdisc show dev IF"),
)  # fmt: skip
_SOFTNET: tuple[_Row, ...] = (
    ("dropped", Where.BACKLOG, "a processor's backlog was full", "net/core/dev.c",
     "sysctl net.core.netdev_max_backlog"),
    ("time_squeeze", Where.BACKLOG, "a processor had no time left for what waited", "net/core/dev.c",
     "sysctl net.core.netdev_budget"),
    ("flow_limit", Where.BACKLOG, "one flow had too much of a backlog", "net/core/dev.c", ""),
)  # fmt: skip
_TABLES: tuple[tuple[str, str, tuple[_Row, ...]], ...] = (
    ("Ip", "net/ipv4/", _IP), ("Ip6", "net/ipv6/", _IP6), ("IpExt", "net/ipv4/", _IP_EXT),
    ("Icmp", "net/ipv4/", (*_ICMP, *_ICMP4)),
    ("Icmp6", "net/ipv6/", (*_ICMP, *_ICMP6)), ("Udp", "net/ipv4/", _UDP), ("Udp6", "net/ipv6/", _UDP),
    ("Tcp", "net/ipv4/", _TCP), ("TcpExt", "net/ipv4/", _TCP_EXT), ("conntrack.", "net/netfilter/", _CONNTRACK),
    ("link.", "", _LINK), ("qdisc.", "", _QDISC), ("softnet.", "", _SOFTNET),
)  # fmt: skip


@cache
def counters() -> dict[str, Counter]:
    """Return all counters by name; those of an interface without it: ``link.tx.dropped``, ``qdisc.drops``."""
    found = (
        Counter(f"{prefix}{name}", where, meaning, file if file.startswith("net/") else f"{folder}{file}", helps)
        for prefix, folder, table in _TABLES
        for name, where, meaning, file, helps in table
    )
    return {counter.name: counter for counter in found}


def counter_of(name: str) -> tuple[Counter, str] | None:
    """
    Return what a name of a recorded counter is, and of which interface.

    None of one that is no loss. ``link.IF.tx.dropped`` and ``qdisc.IF.drops`` name theirs; interfaces may have dots.
    """
    known = counters()
    if name in known:
        return known[name], ""
    kind, _, rest = name.partition(".")
    parts = {"link": 2, "qdisc": 1}.get(kind)
    if parts is None or rest.count(".") < parts:
        return None
    *interface, what = rest.rsplit(".", parts)[0], ".".join(rest.rsplit(".", parts)[1:])
    found = known.get(f"{kind}.{what}")
    return (found, ".".join(interface)) if found is not None else None

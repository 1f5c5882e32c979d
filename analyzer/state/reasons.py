"""Why the kernel drops packets, by the names of include/net/dropreason-core.h: what each means, and what helps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason."""

    meaning: str
    helps: str = ""
    """Empty where it depends on what is around."""
    fits: tuple[str, ...] = ()
    """Checks whose cause ends so; a cause of another check is none, if the kernel gives this reason."""


_RULES = ("filtered-by-rule", "network-isolation", "stopped-in-container")
UNKNOWN = "NOT_SPECIFIED"

REASONS = {
    "NETFILTER_DROP": Reason("a netfilter hook drops it: a rule, or a chain's policy",
                             "See which rule counts: nft list ruleset, iptables-save -c.", _RULES),
    "IP_RPFILTER": Reason("source validation (rp_filter) drops it", "sysctl net.ipv4.conf.all.rp_filter, and that of "
                          "the interface; 2 asks only for any way back.", ("reverse-path-filtered",)),
    "IP_OUTNOROUTES": Reason("no route leads to its destination", "ip route get ADDRESS", ("host-unreachable",)),
    "IP_INNOROUTES": Reason("no route leads to its destination", "ip route get ADDRESS from SOURCE iif IF",
                            ("host-unreachable", "forwarding-disabled", "reverse-path-filtered")),
    "IP_INADDRERRORS": Reason("its destination is no address that the host takes, or passes on",
                              "sysctl net.ipv4.ip_forward; ip route get ADDRESS", ("forwarding-disabled",)),
    "IP_LOCAL_SOURCE": Reason("it comes from outside with a source address of the host itself",
                              "Look for a loop, or for somebody with the same address.", ("reverse-path-filtered",)),
    "IP_INVALID_SOURCE": Reason("its source address is none that anybody may send from", "",
                                ("reverse-path-filtered",)),
    "IP_LOCALNET": Reason("it is for 127.0.0.0/8, or from there, and comes by another interface",
                          "Let the service listen on the address that is asked.", ("loopback-not-routed",)),
    "IP_INVALID_DEST": Reason("its destination is none that can be sent to"),
    "NEIGH_FAILED": Reason("nobody answers for its next hop (ARP, NDP)", "ip neigh; is that address there?",
                           ("arp-unanswered", "host-unreachable")),
    "NEIGH_QUEUEFULL": Reason("too many wait for the next hop's MAC", "ip neigh; is that address there?",
                              ("arp-unanswered",)),
    "NEIGH_CREATEFAIL": Reason("the neighbour table is full", "sysctl net.ipv4.neigh.default.gc_thresh3"),
    "NEIGH_DEAD": Reason("its neighbour entry is dead", "ip neigh"),
    "PKT_TOO_BIG": Reason("it is longer than the next link takes", "ip link shows MTUs; give the network the smallest.",
                          ("mtu-exceeded", "mtu-mismatch", "mtu-blackhole", "vxlan-mtu")),
    "TCP_LISTEN_OVERFLOW": Reason("the listener's queue is full: its program does not accept connections",
                                  "See what the program does; a longer backlog, net.core.somaxconn.",
                                  ("syn-unanswered",)),
    "SOCKET_RCVBUFF": Reason("the receiving socket's buffer is full: its program does not read",
                             "See what the program does; net.core.rmem_max."),
    "SOCKET_BACKLOG": Reason("the receiving socket's backlog is full", "See what the program does."),
    "SOCKET_FILTER": Reason("a filter on the receiving socket drops it", "The program set it (SO_ATTACH_FILTER)."),
    "PROTO_MEM": Reason("sockets take all the memory that they may", "sysctl net.ipv4.tcp_mem, net.ipv4.udp_mem"),
    "TCP_ZEROWINDOW": Reason("the receiver had closed its window", "See why its program does not read."),
    "TCP_OVERWINDOW": Reason("it is beyond the receiver's window"),
    "TCP_RFC7323_PAWS": Reason("its timestamp is older than the last one (PAWS)",
                               "Several machines behind one address: NAT that mixes timestamps, tcp_tw_recycle."),
    "TCP_INVALID_SEQUENCE": Reason("its sequence number fits no window"),
    "TCP_INVALID_ACK_SEQUENCE": Reason("its acknowledgement number fits no data that was sent"),
    "TCP_ACK_UNSENT_DATA": Reason("it acknowledges what was never sent"),
    "TCP_AUTH_HDR": Reason("its TCP authentication is wrong"),
    "TCP_MD5NOTFOUND": Reason("it has no TCP MD5 signature, and needs one"),
    "TCP_MINTTL": Reason("its TTL is below what the socket asks for (IP_MINTTL)"),
    "TCP_CSUM": Reason("its TCP checksum is wrong", "ethtool -K IF tx off rx off, to see.", ("bad-checksum",)),
    "UDP_CSUM": Reason("its UDP checksum is wrong", "ethtool -K IF tx off rx off, to see.",
                       ("bad-checksum", "vxlan-checksum")),
    "IP_CSUM": Reason("its IP checksum is wrong", "ethtool -K IF tx off rx off, to see.", ("bad-checksum",)),
    "ICMP_CSUM": Reason("its ICMP checksum is wrong", "ethtool -K IF tx off rx off, to see.", ("bad-checksum",)),
    "SKB_CSUM": Reason("its checksum is wrong", "ethtool -K IF tx off rx off, to see.", ("bad-checksum",)),
    "IP_INHDR": Reason("its IP header is malformed, or its TTL has ended", "", ("ttl-exceeded",)),
    "XFRM_POLICY": Reason("an IPsec policy does not let it pass", "ip xfrm policy"),
    "BPF_CGROUP_EGRESS": Reason("a BPF program of its cgroup drops what it sends", "bpftool cgroup tree"),
    "SECURITY_HOOK": Reason("a security module drops it", "Look at its audit log (SELinux, AppArmor)."),
    "TC_INGRESS": Reason("a tc filter drops it as it comes in", "tc filter show dev IF ingress"),
    "TC_EGRESS": Reason("a tc filter drops it as it goes out", "tc filter show dev IF egress"),
    "XDP": Reason("an XDP program drops it", "ip link shows prog/xdp; ip link set IF xdp off takes it away."),
    "QDISC_DROP": Reason("a queue drops it", "tc -s qdisc show dev IF", ("queue-drops",)),
    "QDISC_OVERLIMIT": Reason("a queue is full", "tc -s qdisc show dev IF", ("queue-drops",)),
    "QDISC_CONGESTED": Reason("a queue drops it, for packets wait too long", "tc -s qdisc show dev IF",
                              ("queue-drops",)),
    "CPU_BACKLOG": Reason("a processor's input queue is full", "sysctl net.core.netdev_max_backlog"),
    "FULL_RING": Reason("a device's ring is full: whoever reads it is too slow"),
    "DEV_READY": Reason("the device is not ready: it is down, or has no carrier", "ip link"),
    "NOMEM": Reason("the kernel has no memory for it"),
    "FRAG_REASM_TIMEOUT": Reason("a fragment of it never came", "", ("loss-beyond-host",)),
    "DUP_FRAG": Reason("it is a fragment that was there already"),
    "UNICAST_IN_L2_MULTICAST": Reason("it is for one address, in a frame for many",
                                      "sysctl drop_unicast_in_l2_multicast"),
    "OTHERHOST": Reason("its MAC is somebody else's", "ip neigh where it was sent.", ("neighbour-stale",)),
    "IPV6DISABLED": Reason("IPv6 is switched off on the interface", "sysctl net.ipv6.conf.IF.disable_ipv6"),
    "IP_NOPROTO": Reason("nobody takes its protocol"),
    "VXLAN_VNI_NOT_FOUND": Reason("no VXLAN interface has its network identifier"),
    "NO_TX_TARGET": Reason("the tunnel knows no way for it", "bridge fdb show"),
    "BRIDGE_INGRESS_STP_STATE": Reason("the bridge's port does not forward (STP)", "bridge link"),
    "LOCAL_MAC": Reason("its source MAC is the host's own"),
    "NO_SOCKET": Reason("nobody listens there", "ss -ltnup", ("connection-refused",)),
    UNKNOWN: Reason("the kernel gives no reason"),
}  # fmt: skip
TELLING = frozenset(REASONS) - {UNKNOWN, "NO_SOCKET", "OTHERHOST", "NETFILTER_DROP", "IP_NOPROTO", "DUP_FRAG"}
"""Those that say by themselves why."""
DELIVERED = TELLING - {"TCP_OVERWINDOW", "TCP_ZEROWINDOW", "TCP_INVALID_SEQUENCE", "LOCAL_MAC"} | {"NETFILTER_DROP"}
"""Those that matter, too, of what came to its receiver: there, other reasons are everyday."""

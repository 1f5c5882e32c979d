"""What is recorded of a host, by file: what each command prints. None of them changes anything."""

from analyzer.model.engine import CRI

Dump = tuple[str, tuple[str, ...]]

_SYSCTLS = " ".join(f"/proc/sys/net/{name}" for name in (
    "ipv4/ip_forward", "ipv4/ip_local_port_range", "ipv4/ip_nonlocal_bind", "ipv4/ipfrag_high_thresh", "ipv4/tcp_ecn",
    "ipv4/tcp_max_syn_backlog", "ipv4/tcp_mtu_probing", "ipv4/tcp_syncookies", "ipv4/tcp_timestamps",
    "ipv4/tcp_tw_reuse", "ipv4/icmp_ratelimit", "ipv4/icmp_echo_ignore_all", "ipv4/ping_group_range",
    "ipv4/neigh/default/gc_thresh3", "ipv6/neigh/default/gc_thresh3", "ipv6/bindv6only",
    "core/somaxconn", "core/netdev_max_backlog", "bridge/bridge-nf-*", "netfilter/nf_conntrack_*",
    *(f"ipv4/conf/*/{name}" for name in ("rp_filter", "forwarding", "arp_ignore", "arp_filter", "arp_announce",
      "proxy_arp", "accept_local", "route_localnet", "src_valid_mark")),
    *(f"ipv6/conf/*/{name}" for name in ("forwarding", "disable_ipv6", "accept_ra", "proxy_ndp")),
))  # fmt: skip
"""Read as files, for ``sysctl -a`` reads all that there is; one that is missing must not take the others with it."""


def _each(program: str, links: str, asks: str) -> tuple[str, ...]:
    """Return what asks a program of one interface after the other, for it does not tell of all at once."""
    loop = f'for link in $({links}); do echo "== $link"; {asks}; done 2>/dev/null; :'
    return "sh", "-c", f"command -v {program} >/dev/null || exit 127; {loop}"


_FILTERED = r"tc qdisc | sed -En 's/^qdisc (clsact|ingress) .* dev (\S+) .*/\2/p'"
"""The interfaces that may have filters."""


_OFFLOADS = (
    """ethtool -k '*'; cd /sys/class/net; for card in */device; do ethtool -S "${card%/device}"; done 2>/dev/null; :"""
)
"""Of all interfaces at once, which takes 2 ms for a hundred; what cards count, of each."""
_CLASSED = r"tc qdisc | sed -En 's/^qdisc (htb|hfsc|drr|qfq|ets|cbq) .* dev (\S+) .*/\2/p'"
"""The interfaces that have classes."""


_QUEUES = "/proc/net/netfilter/nfnetlink_queue"
"""One line for each queue that a program reads: that there are none is worth knowing, too."""
NETWORK: tuple[Dump, ...] = (
    ("ip-addr.json", ("ip", "-s", "-s", "-j", "-d", "addr")),
    ("ip-route.json", ("ip", "-j", "route", "show", "table", "all")),
    ("ip-rule.json", ("ip", "-j", "rule")),
    ("ip6-rule.json", ("ip", "-6", "-j", "rule")),
    ("ip-neigh.json", ("ip", "-j", "neigh")),
    ("iptables-save.txt", ("iptables-save", "-c")),
    ("ip6tables-save.txt", ("ip6tables-save", "-c")),
    ("nft-ruleset.json", ("nft", "-j", "list", "ruleset")),
    ("nstat.txt", ("nstat", "-az")),
    ("tc-qdisc.json", ("tc", "-s", "-j", "qdisc")),
    ("ss.txt", ("ss", "-H", "-O", "-tulnpem")),
    ("sysctl.txt", ("sh", "-c", f"grep -s ^ {_SYSCTLS}; :")),
)
"""Of a network namespace: the host's, and each container's."""
_BRIDGES: tuple[Dump, ...] = (
    ("bridge-fdb.json", ("bridge", "-j", "fdb")),
    ("bridge-link.json", ("bridge", "-j", "-d", "link")),
)
OVERLAY: tuple[Dump, ...] = (*NETWORK, *_BRIDGES)
"""Of an overlay network's namespace, where its bridge and its VXLAN interface are."""
HOST: tuple[Dump, ...] = (
    *NETWORK,
    *_BRIDGES,
    ("bridge-vlan.json", ("bridge", "-j", "vlan")),
    ("conntrack.txt", ("conntrack", "-L", "-o", "extended,id")),
    ("conntrack6.txt", ("conntrack", "-L", "-f", "ipv6", "-o", "extended,id")),
    ("conntrack-stats.txt", ("conntrack", "-S")),
    ("softnet_stat.txt", ("cat", "/proc/net/softnet_stat")),
    ("resolv.conf", ("cat", "/etc/resolv.conf")),
)
"""Of the host."""
OPTIONAL: tuple[Dump, ...] = (
    ("ipset.txt", ("ipset", "save")),
    ("iptables-legacy-save.txt", ("iptables-legacy-save", "-c")),
    ("ip6tables-legacy-save.txt", ("ip6tables-legacy-save", "-c")),
    ("nfnetlink_queue.txt", ("sh", "-c", f"test -r {_QUEUES} && wc -l {_QUEUES} && cat {_QUEUES}; :")),
    ("wg.txt", ("wg", "show")),  # it hides its keys
    ("ufw.txt", ("ufw", "status", "verbose")),
    ("firewalld.txt", ("firewall-cmd", "--list-all-zones")),
    ("xfrm-policy.txt", ("ip", "-s", "xfrm", "policy")),
    ("xfrm-state.txt", ("ip", "-s", "xfrm", "state", "list", "nokeys")),
    ("daemon.json", ("sh", "-c", "cat /etc/docker/daemon.json 2>/dev/null; :")),
)
"""What is recorded where there is such a program, and it has something to say."""
FOR_PEOPLE: tuple[Dump, ...] = (
    ("hosts", ("cat", "/etc/hosts")),
    ("bridge-mdb.json", ("bridge", "-j", "-d", "mdb")),
    ("conntrack-expect.txt", ("conntrack", "-L", "expect")),
    ("tc-class.txt", _each("tc", _CLASSED, 'tc -s class show dev "$link"')),
    ("tc-filter.txt", _each("tc", _FILTERED, 'for way in ingress egress; do tc -s filter show dev "$link" $way; done')),
    ("ethtool.txt", ("sh", "-c", f"command -v ethtool >/dev/null || exit 127; {_OFFLOADS}")),
    ("xfrm_stat.txt", ("sh", "-c", "cat /proc/net/xfrm_stat 2>/dev/null; :")),
)
"""Likewise, of what no check reads."""
Listed = tuple[str, tuple[str, ...], tuple[str, ...]]
"""The file, what lists ids, what is asked about them."""


def containers_of(engine: str) -> Listed:
    """Return what is recorded of a container engine's containers, or pods."""
    file = f"{engine}-inspect.json"
    if engine == CRI:
        return file, (CRI, "pods", "-q", "--no-trunc"), (CRI, "inspectp", "-o", "json")
    return file, (engine, "ps", "-aq", "--no-trunc"), (engine, "inspect", "--type", "container")


def networks_of(engine: str) -> Listed | None:
    """Return what is recorded of its networks; None of runtimes that do not tell of any."""
    if engine == CRI:
        return None
    return (
        f"{engine}-network-inspect.json", (engine, "network", "ls", "-q", "--no-trunc"), (engine, "network", "inspect")
    )  # fmt: skip


def version_of(engine: str) -> Dump:
    """Return what tells the version of an engine, if it answers; one that does not is asked nothing else."""
    if engine == CRI:
        return f"{engine}-version.txt", (engine, "version")
    return f"{engine}-version.json", (engine, "version", "--format", "{{json .}}")


def about_engine(engine: str) -> tuple[Dump, ...]:
    """Return what else is recorded of it."""
    return (("docker-info.json", ("docker", "info", "--format", "{{json .}}")),) if engine == "docker" else ()


_ATTRIBUTES = ",".join(
    f'"{name}":{{{{json (index .Actor.Attributes "{name}")}}}}' for name in ("name", "container", "exitCode", "signal")
)
EVENTS = (
    "docker", "events", "--format",
    '{"Type":{{json .Type}},"Action":{{json .Action}},"Actor":{"ID":{{json .Actor.ID}},"Attributes":{'
    + _ATTRIBUTES + '}},"time":{{json .Time}},"timeNano":{{json .TimeNano}}}',
)  # fmt: skip
"""What happens meanwhile, without the labels of containers, which Docker tells with each event."""

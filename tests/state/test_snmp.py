"""Each counter of lost packets: where on its way, whose name it has, and of which interface."""

import pytest

from analyzer.state.snmp import ON_THE_WAY, Where, counter_of, counters


def test_counters_stand_in_the_order_of_the_way() -> None:
    """From the interface it comes in by to the one it leaves by; only what the host itself takes is beside it."""
    assert [*ON_THE_WAY, Where.HOST] == list(Where)


@pytest.mark.parametrize(
    ("name", "where", "helps"),
    [
        ("IpInHdrErrors", Where.IN, ""),
        ("Ip6InNoRoutes", Where.ROUTE, "ip -6 route get ADDRESS"),
        ("IpExtInNoRoutes", Where.ROUTE, "ip route get ADDRESS from S iif IF"),
        ("IpOutDiscards", Where.HOST, "tc -s qdisc; iptables -L OUTPUT -v"),
        ("IpFragFails", Where.FRAGMENTS, "the MTU of the network"),
        ("TcpExtIPReversePathFilter", Where.ROUTE, "sysctl net.ipv4.conf.all.rp_filter"),
        ("TcpExtListenOverflows", Where.HOST, "ss -ltn; net.core.somaxconn"),
        ("UdpRcvbufErrors", Where.HOST, "sysctl net.core.rmem_max"),
        ("conntrack.drop", Where.CONNTRACK, "sysctl net.netfilter.nf_conntrack_max"),
        ("link.rx.missed_errors", Where.DEVICE_IN, "ethtool -G IF"),
        ("link.tx.carrier_errors", Where.DEVICE_OUT, "ip link"),
        ("qdisc.drops", Where.QUEUE, "tc -s qdisc show dev IF"),
        ("softnet.dropped", Where.BACKLOG, "sysctl net.core.netdev_max_backlog"),
    ],
)
def test_a_counter_has_its_place_and_what_helps(name: str, where: Where, helps: str) -> None:
    """A command or setting to look at, where there is one."""
    assert (counters()[name].where, counters()[name].helps) == (where, helps)


def test_tables_of_both_ip_versions_are_counted_in_their_own_files() -> None:
    """Of ICMP and UDP as well; what is counted elsewhere says so itself."""
    known = counters()

    for name, counter in known.items():
        if name.startswith(("Ip6", "Icmp6", "Udp6")):
            assert counter.file.startswith("net/ipv6/"), name
        elif name.startswith(("Ip", "Icmp", "Udp", "Tcp")):
            assert counter.file.startswith(("net/ipv4/", "net/core/")), name
        else:
            assert counter.file.startswith(("net/", "the driver")), name
    assert known["TcpExtPFMemallocDrop"].file == "net/core/filter.c"
    assert {name.removeprefix("Udp6") for name in known if name.startswith("Udp6")} == {
        name.removeprefix("Udp") for name in known if name.startswith("Udp") and not name.startswith("Udp6")
    }


def test_what_comes_in_is_not_counted_on_the_way_out() -> None:
    """Nor the other way round."""
    places = {name: counter.where for name, counter in counters().items() if name.startswith("link.")}

    assert {where for name, where in places.items() if name.startswith("link.rx.")} == {Where.DEVICE_IN}
    assert {where for name, where in places.items() if name.startswith("link.tx.")} == {Where.DEVICE_OUT}
    assert len(places) > 10


@pytest.mark.parametrize(
    ("name", "known", "interface"),
    [
        ("TcpExtListenDrops", "TcpExtListenDrops", ""),
        ("softnet.time_squeeze", "softnet.time_squeeze", ""),
        ("link.eth0.rx.dropped", "link.rx.dropped", "eth0"),
        ("link.a.b.c.tx.dropped", "link.tx.dropped", "a.b.c"),
        ("link.rx.rx.dropped", "link.rx.dropped", "rx"),
        ("qdisc.eth0.100.drops", "qdisc.drops", "eth0.100"),
        ("qdisc.drops", "qdisc.drops", ""),
    ],
)
def test_an_interface_is_named_between_the_kind_and_the_counter(name: str, known: str, interface: str) -> None:
    """Its name may have dots, and may be that of a part of others."""
    found = counter_of(name)

    assert found is not None
    assert (found[0].name, found[1]) == (known, interface)


@pytest.mark.parametrize(
    "name",
    [
        "IpInReceives",
        "link.eth0.rx.packets",
        "link.eth0.dropped",
        "qdisc.eth0.backlog",
        "softnet.eth0.dropped",
        "link",
        "",
    ],
)
def test_what_counts_no_loss_is_none(name: str) -> None:
    """However much it looks like one."""
    assert counter_of(name) is None

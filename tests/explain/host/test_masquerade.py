"""Whether rules translate what networks send out."""

from dataclasses import replace

import pytest

from analyzer.model import HostState, Severity
from tests.explain.host.state import HOST, asked, network, rules

check = asked("masquerade-missing")

FILTER = "*filter\n:FORWARD {policy} [0:0]\nCOMMIT\n"


def _host(*nat: str, policy: str = "ACCEPT", **changes: object) -> HostState:
    """Return a host with these rules of POSTROUTING."""
    lines = "".join(f"-A POSTROUTING {rule}\n" for rule in nat)
    text = FILTER.format(policy=policy) + f"*nat\n:POSTROUTING ACCEPT [0:0]\n{lines}COMMIT\n"
    return replace(HOST, tables=rules(text), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "told"),
    [
        (_host(), True),
        (_host("-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"), False),
        (_host("-s 172.17.0.0/16 -o wlan0 -j SNAT --to-source 192.168.1.100"), False),
        (_host("-s 172.18.0.0/16 ! -o docker0 -j MASQUERADE"), True),
        (_host("-s 172.17.0.0/16 -o docker0 -j MASQUERADE"), True),
        (_host("-s 172.17.0.0/16 -o wlan0 -j ACCEPT", "-j MASQUERADE"), True),
        (_host(policy="DROP"), False),
        (_host("-m nonsense --strange -j MASQUERADE"), False),
        (_host(networks=(network("bridge", "172.17.0.0/16", masquerades=False),)), False),
        (_host(networks=(network("bridge", "fd00::/64"),)), False),
        (_host(networks=(network("bridge", "172.17.0.0/16", internal=True),)), False),
        (replace(_host(), tables=()), False),
        (replace(_host(), routes=()), False),
    ],
    ids=["none", "masquerade", "snat", "other-source", "other-way", "accepted-before", "dropped", "undecided",
         "not-wanted", "no-ipv4", "internal", "no-rules", "no-uplink"],
)  # fmt: skip
def test_a_packet_out_of_each_network(host: HostState, told: bool) -> None:
    """It must be translated if it passes, and if the network shall be masqueraded."""
    assert [finding.detail for finding in check(host)] == ["nothing masquerades network bridge"] * told


def test_what_is_told() -> None:
    """The rule that is missing, with the IPv4 subnet; as proof the first three of POSTROUTING."""
    nat = tuple(f"-s 10.{n}.0.0/16 -j MASQUERADE" for n in range(4))
    networks = (network("bridge", "fd00:17::/64", "172.17.0.0/16"),)
    (finding,) = check(_host(*nat, networks=networks))

    assert (finding.check, finding.severity) == ("masquerade-missing", Severity.ERROR)
    assert finding.commands == ("iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",)
    assert finding.proof == tuple(f"iptables-save.txt: -A POSTROUTING {rule}" for rule in nat[:3])


def test_rules_of_other_chains_and_tables_are_no_proof() -> None:
    """Only nat's POSTROUTING is shown; where it is empty, that is said."""
    text = (
        "*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j TOS --set-tos 0x10\nCOMMIT\n"
        "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -d 1.2.3.4/32 -j ACCEPT\nCOMMIT\n"
    )
    (finding,) = check(replace(HOST, tables=rules(text)))

    assert finding.proof == ("iptables-save.txt: *nat has no rule in POSTROUTING",)


def test_all_networks_are_looked_at() -> None:
    """Those before one that cannot be told, and those after it."""
    networks = (
        network("a", "172.17.0.0/16"),
        network("b", "172.18.0.0/16", masquerades=False),
        network("c", "172.19.0.0/16"),
    )

    assert [finding.detail[-1] for finding in check(_host(networks=networks))] == ["a", "c"]

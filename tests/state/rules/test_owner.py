"""Who made a rule: by its table, its chain, its comment, and what containers publish."""

import json
from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model import Container, HostState, Network
from analyzer.model.rules import Rule
from analyzer.state.rules.iptables import parse_rule, parse_tables
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.owner import owner, place

WEB = Container("web", "bridge", None, (ip_address("172.17.0.3"),), ("0.0.0.0:8080->80/tcp",))
HOST = HostState(containers=(WEB,), networks=(Network("bridge", "1", "bridge", "docker0", (), ()),))


def _rule(text: str, table: str = "filter") -> Rule:
    (found,) = parse_tables([f"*{table}", f":{text.split()[1]} - [0:0]"], 4)
    return parse_rule(text, found)


@pytest.mark.parametrize(
    ("table", "rule", "by"),
    [
        ("filter", "-A DOCKER-USER -j DROP", "whoever administers the host"),
        ("filter", "-A DOCKER -d 172.17.0.3/32 -j ACCEPT", "Docker"),
        ("filter", "-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP", "Docker"),
        ("filter", "-A FORWARD -j DOCKER-USER", "Docker"),
        ("filter", "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT", "Docker"),
        ("filter", "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "Docker"),
        ("nat", "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", "Docker"),
        ("nat", "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80",
         "Docker, for web's published port 0.0.0.0:8080->80/tcp"),
        ("nat", "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 81 -j DNAT --to-destination 172.17.0.9:80", "Docker"),
        ("filter", "-A FORWARD -i docker0 -p tcp -m tcp --dport 25 -j DROP", None),
        ("filter", "-A FORWARD -i eth0 ! -o eth0 -j ACCEPT", None),
        ("filter", "-A INPUT -i docker0 -o docker0 -j DROP", None),
        ("nat", "-A KUBE-SEP-X -p tcp -j DNAT --to-destination 10.1.1.1:80", "kube-proxy"),
        ("nat", '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING', "kube-proxy"),
        ("nat", "-A CNI-HOSTPORT-DNAT -j CNI-DN-1", "a CNI plugin"),
        ("filter", "-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT", "ufw"),
        ("filter", "-A ufw6-before-input -j ACCEPT", "ufw"),
        ("filter", "-A f2b-sshd -s 1.2.3.4/32 -j REJECT", "fail2ban"),
        ("filter", "-A IN_public_allow -p tcp -m tcp --dport 22 -j ACCEPT", "firewalld"),
        ("filter", "-A NETAVARK_FORWARD -d 10.88.0.0/16 -j ACCEPT", "netavark (Podman)"),
        ("filter", "-A LIBVIRT_FWI -o virbr0 -j REJECT", "libvirt"),
        ("filter", "-A cali-FORWARD -j ACCEPT", "Calico"),
        ("filter", "-A ts-forward -o tailscale0 -j DROP", "Tailscale"),
        ("raw", '-A PREROUTING ! -i wg0 -m comment --comment "wg-quick(8) rule for wg0" -j DROP', "wg-quick"),
        ("filter", "-A INPUT -j DROP", None),
    ],
)  # fmt: skip
def test_rules_of_iptables(table: str, rule: str, by: str | None) -> None:
    """Chains that programs make have names of their own; Docker's rules elsewhere are known word by word."""
    assert owner(_rule(rule, table), HOST) == by


@pytest.mark.parametrize(
    ("family", "table", "by"),
    [
        ("inet", "netavark", "netavark (Podman)"), ("ip", "docker-bridges", "Docker"),
        ("inet", "firewalld", "firewalld"),
        ("ip", "kube-proxy", "kube-proxy"), ("ip", "wg-quick-wg0", "wg-quick"), ("inet", "f2b-table", "fail2ban"),
        ("inet", "mine", None), ("inet", "my-docker-", None),
    ],
)  # fmt: skip
def test_rules_of_nftables(family: str, table: str, by: str | None) -> None:
    """By the table, for chains there are called as anybody likes."""
    of: dict[str, Any] = {"family": family, "table": table}
    dump = [{"table": {"family": family, "name": table}}, {"chain": {**of, "name": "DOCKER"}},
            {"rule": {**of, "chain": "DOCKER", "handle": 1, "expr": [{"accept": None}]}}]  # fmt: skip
    (found,) = parse_native(json.dumps({"nftables": dump}), ())

    assert owner(next(found.rules()), HOST) == by


@pytest.mark.parametrize(
    ("chain", "rule", "by"),
    [
        ("FORWARD", "ct state invalid drop", "netavark (Podman)"),
        ("FORWARD", "ip daddr 8.8.8.8 drop", None),
        ("INPUT", "tcp dport 80 reject", None),
        ("FORWARD", "ip saddr 10.88.0.0/16 accept", "netavark (Podman)"),
        ("NETAVARK-ISOLATION-3", "oifname podman1 drop", "netavark (Podman)"),
    ],
)
def test_rules_that_somebody_put_into_netavarks_table(chain: str, rule: str, by: str | None) -> None:
    """In chains of hooks it drops only what conntrack calls invalid: what else is dropped there is somebody's own."""
    target = rule.rpartition(" ")[2].upper()

    assert owner(Rule(f"inet netavark {chain}: {rule}", "inet netavark", chain, 1, target=target), HOST) == by


def test_places() -> None:
    """With its number in the chain."""
    (table,) = parse_tables(
        ["*filter", ":DOCKER-USER - [0:0]", "-A DOCKER-USER -j RETURN", "-A DOCKER-USER -j DROP"], 4
    )
    second = list(table.rules())[1]

    assert place(second, HOST) == "rule 2 of chain DOCKER-USER, made by whoever administers the host"
    assert place(_rule("-A INPUT -j DROP"), HOST) == "rule 1 of chain INPUT, made by no program that is known"

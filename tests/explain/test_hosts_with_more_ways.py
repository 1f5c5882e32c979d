"""Hosts with more than one way, as recorded: VPNs and firewalls beside Docker, routed pods, engines in containers.

Whoever recorded them knew nothing of the rules by which they are told, and wrote down what is wrong before.
"""

import pytest

from analyzer.model import Severity
from tests.explain.hosts import told_first, trace_of

HEALTHY = (
    "flannel.healthy", "guarded.healthy-redirected", "guarded.healthy-shorewall", "guarded.healthy-tproxy",
    "macvtap.healthy", "nested.healthy-gateway", "nested.healthy-inner", "nested.healthy-outer", "openwrt.healthy",
    "routed.healthy-calico", "routed.healthy-ptp", "vpn.healthy-kill-switch", "vpn.healthy-openvpn",
    "vpn.healthy-tailscale", "ways.healthy-table", "ways.healthy-two-networks", "ways.healthy-two-uplinks",
)  # fmt: skip
LOSES = {"vpn.healthy-tailscale": ["loss-beyond-host"]}
"""Its tunnel did lose some, which TCP sent again."""
FAULTS = {
    "flannel.stale-mac-here": ("neighbour-stale", "the neighbour entry for 10.244.6.0 on flannel.1 has 9a:77",
                               "ip neigh replace 10.244.6.0 lladdr 22:d1:9f:00:60:07 dev flannel.1"),
    "flannel.stale-mac-there": ("neighbour-stale", "10.20.0.41 sends to 9a:77:31:bb:20:06, which flannel.1 here does",
                                "On 10.20.0.41: renew"),
    "guarded.crowdsec-docker-range": ("filtered-by-rule", "crowdsec-blacklists-cscli has 172.21.0.0/24",
                                      "CrowdSec's bouncer keeps the list"),
    "guarded.dnat-to-loopback": ("loopback-not-routed", "route_localnet is 0", "listen on 172.21.0.1"),
    "guarded.fail2ban": ("filtered-by-rule", "rule 1 of f2b-http-auth rejects it", "unbanip 198.51.100.7"),
    "guarded.geoip": ("filtered-by-rule", "rule 2 of GEOIP drops it, for set geo-allow does not have 172.21.0.0/24",
                      "ipset add geo-allow 172.21.0.0/24"),
    "guarded.hashlimit": ("filtered-by-rule", "it is a limit, --hashlimit-above 20/min", "Raise it"),
    "guarded.redirected-to-nobody": ("connection-refused", "dnsmasq listens only on 127.0.0.1", "listen on 172.21.0.1"),
    "guarded.shorewall-no-zone": ("filtered-by-rule", "rule 4 of reject rejects it", "/etc/shorewall/interfaces"),
    "guarded.tproxy-lost": ("transparent-proxy", "gives it to port 3129 of this host, and br_netfilter on docker0",
                            "sysctl -w net.bridge.bridge-nf-call-iptables=0"),
    "macvtap.own-host": ("arp-unanswered", "macvtap0 is a macvtap on eth0", "Give the host a macvlan of its own"),
    "nested.gateway-drops": ("stopped-in-container", "inside vpn no rule of filter FORWARD accepts it", "kill switch"),
    "nested.gateway-no-forwarding": ("stopped-in-container", "inside vpn, forwarding is off", "forwarding=1"),
    "nested.mtu": ("mtu-exceeded", "runner2 cannot get more than 1400 bytes at once from 198.51.100.80",
                   '"mtu": 1400 in daemon.json'),
    "nested.same-range": ("subnet-overlap", "network bridge has taken 172.17.0.0/16, and no container there has",
                          "default-address-pools"),
    "nested.same-range-outer": ("arp-unanswered", "answers ARP for 172.17.40.10", "whether the address is right"),
    "openwrt.zone-without-device": ("filtered-by-rule", "rule 2 of handle_reject rejects it", "list device 'docker0'"),
    "routed.masqueraded-pods": ("syn-unanswered", "its SYNs leave by eth0, and nothing comes back", "firewall"),
    "routed.masqueraded-pods-there": ("filtered-by-rule", "10.20.0.11 cannot reach b4-db:5432 (TCP): rule 7 of cali-tw",
                                      "NetworkPolicy"),
    "routed.no-endpoints": ("filtered-by-rule", "Service default/api:http has no endpoints",
                            "kubectl -n default get endpointslices -l kubernetes.io/service-name=api"),
    "routed.no-endpoints-nft": ("filtered-by-rule", "rule 1 of reject-chain rejects it: Service shop/front:http has no",
                                "kubectl -n shop get endpointslices -l kubernetes.io/service-name=front"),
    "routed.no-local-endpoints": ("filtered-by-rule", "Service default/edge:http has no endpoint on this node",
                                  "set the policy to Cluster"),
    "routed.no-masquerade": ("masquerade-missing", "its packets leave by eth0 as 10.244.11.6, untranslated",
                             "natOutgoing: true"),
    "routed.not-proxied": ("arp-unanswered", "cali863fb070792, the host's end, does not answer for it: proxy_arp is 0",
                           "sysctl -w net.ipv4.conf.cali863fb070792.proxy_arp=1"),
    "routed.policy-egress": ("filtered-by-rule", "b4-fe cannot reach 10.96.0.10:53 (UDP): rule 9 of cali-fw-cali863fb",
                             "NetworkPolicy"),
    "routed.policy-ingress": ("filtered-by-rule", "rule 7 of cali-tw-cali15104693972 drops it", "NetworkPolicy"),
    "routed.stale-host-port": ("published-port-shadowed", "a rule that is left over sends that port elsewhere",
                               "iptables -t nat -D CNI-DN-22de0d4ce58ebdd9e9d39"),
    "routed.stale-route": ("arp-unanswered", "leads to 10.20.0.13, which does not answer; its router is 10.20.0.12",
                           "ip route replace 10.244.12.0/26 via 10.20.0.12"),
    "routed.wrong-service-port": ("filtered-by-rule", "no Service has port 8080 at 10.96.30.1", "kubectl get service"),
    "vpn.kill-switch-old-name": ("filtered-by-rule", "it accepts proton0, and they leave by proton1",
                                 "oifname proton1 accept"),
    "vpn.mullvad-no-lan": ("filtered-by-rule", "rule 8 of forward rejects it", "mullvad lan set allow"),
    "vpn.openvpn-overlap": ("subnet-overlap", "network dev has the same addresses as what is behind tun0", "--subnet"),
    "vpn.tailscale-own-range": ("filtered-by-rule", "rule 3 of ts-forward drops it", "Give its network other"),
    "vpn.tailscale-route": ("container-routed-elsewhere", "goes to tailscale0 by table 52, not to br-",
                            "ip rule add to 172.20.0.0/16 lookup main priority 5269"),
    "vpn.wg-quick-asked-past-it": ("asymmetric-path", "questions come by wlan0, and answers leave by wg0", "CONNMARK"),
    "vpn.wg-quick-own-address": ("filtered-by-rule", "rule 1 of preraw drops it", "Ask by another address"),
    "vpn.wg-quick-strays": ("filtered-by-rule", "10.66.0.2 cannot reach web:80 (TCP): rule 1 of preraw", "wg-quick"),
    "ways.dead-next-hop": ("syn-unanswered", "10.20.0.2, one of 2 next hops of the default route, passes nothing on",
                           "ip route replace default nexthop via 10.20.0.1 dev eth0"),
    "ways.ecmp-strays": ("reverse-path-filtered", "media is asked on network lan and answers by app", "--gw-priority"),
    "ways.rp-filter": ("reverse-path-filtered", "media is asked on network lan and answers by app, and rp_filter on br",
                       "sysctl -w net.ipv4.conf.br-884778ab9592.rp_filter=2"),
    "ways.table-without-bridge": ("container-routed-elsewhere", "goes to eth0 by table 100, not to br-884778ab9592",
                                  "ip rule add to 172.26.0.0/24 lookup main priority 999"),
    "ways.two-uplinks": ("asymmetric-path", "questions come by wwan0, and answers leave by ens3", "CONNMARK"),
}  # fmt: skip
"""By recording: the check that finds it, what its title says, and what its remedy does."""


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_one_is_accused_of_nothing(name: str) -> None:
    """Neither its traffic nor its rules."""
    trace = trace_of(name)

    assert [one.check for one in trace.findings if one.severity is not Severity.INFO] == LOSES.get(name, [])
    assert "dropped" not in trace.dispositions()


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong(name: str) -> None:
    """Comes first, and what helps is said with the program that does it."""
    assert told_first(name, FAULTS[name]) == FAULTS[name]


def test_a_transparent_proxy_answers_in_somebody_s_place() -> None:
    """What it takes is for this host, and no loss; nor is it docker-proxy's doing."""
    trace = trace_of("guarded.healthy-tproxy")

    assert [one.check for one in trace.findings] == ["transparent-proxy"]
    assert trace.journey(0).reason.startswith("this host itself takes it, and answers in place of 198.51.100.80")


def test_a_container_that_translates_once_more_contradicts_nobody() -> None:
    """conntrack of the host speaks of its own part, and what leaves its own points fits that."""
    for name in ("nested.healthy-outer", "nested.healthy-gateway"):
        assert "conntrack-contradiction" not in {one.check for one in trace_of(name).findings}

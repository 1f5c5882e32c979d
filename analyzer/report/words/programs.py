"""What to tell the programs that make rules: each is told by its own means what is to pass."""

import re
from collections.abc import Callable

from analyzer.report.words.sentence import Facts

UFW = "ufw"
BY_HAND = "for deleted by hand it comes back"


def told(f: Facts) -> str:
    """Say by whom the rule, or a chain's policy, is made, and what to tell that program; facts are the check's."""
    owner = str(f["owner"])
    said = TOLD[owner](f) if owner in TOLD else ""
    if owner == "kube-proxy" and said:
        return said
    if f.get("policy_of"):
        return f"The policy is {owner}'s, and so is what it shall let pass: {said}"
    return f"The rule is made by {owner}: change it there, {BY_HAND}. {said}".rstrip()


def _port(f: Facts) -> str:
    return f" port {f['to_port']} proto {f['to_protocol']}" if f.get("to_port") else ""


def _ufw(f: Facts) -> str:
    src, dst, bridge = f.get("from"), f.get("to"), f.get("in_bridge")
    if f.get("near_miss"):
        whole = "; it is asked after DNAT, so it names the container's address and port"
        return f"ufw route allow from any to {dst}{_port(f)}{whole}."
    # What is added goes behind the rules that there are, and the first one decides.
    first = (
        "insert 1 " if str(f.get("chain")).startswith(("ufw-user-", "ufw6-user-")) and not f.get("policy_of") else ""
    )
    if f.get("forwarded"):
        all_ = "" if f.get("in_bridge") else " (from any, for all clients)"
        return f"ufw route {first}allow from {src} to {dst}{_port(f)}{all_}"
    if first:
        return f"ufw {first}allow from {src} to {dst}{_port(f)}"
    return f"ufw allow in on {bridge} to any{_port(f)}" if bridge else f"ufw allow from {src} to {dst}{_port(f)}"


RELOAD = " && firewall-cmd --reload"


def _firewalld(f: Facts) -> str:
    if (
        policy := re.match(r"filter_(?:FWD|IN)_policy_(\w+?)_(?:pre|log|deny|allow|post)$", str(f.get("chain")))
    ) is not None:
        return f"It is of policy {policy[1]}: firewall-cmd --info-policy={policy[1]} shows it."
    if (bridge := f.get("in_bridge")) and f.get("bridge_zone") != "docker":
        return f"firewall-cmd --permanent --zone=docker --change-interface={bridge}{RELOAD}"
    if f.get("zone_of_port"):
        return (
            f"The port is forwarded in zone {f['zone_of_port']}, and {f['iif']} is in {f['zone']}: firewall-cmd "
            f"--permanent --zone={f['zone']} --add-forward-port={f['forward_port']}{RELOAD}"
        )
    if f.get("forwarded") and f.get("unassigned") and not f.get("sent_by"):
        return (
            f"{f['iif']} is in no zone, so {f.get('zone', 'the default one')} is its zone, which forwards nothing to "
            "others. Put it into one that does, as trusted, which lets it reach this host, too: firewall-cmd "
            f"--permanent --zone=trusted --change-interface={f['iif']}{RELOAD}"
        )
    if f.get("zone") and not f.get("forwarded") and f.get("to_port"):
        port = f"{f['to_port']}/{f['to_protocol']}"
        return f"firewall-cmd --permanent --zone={f['zone']} --add-port={port}{RELOAD}"
    if f.get("zone") and not f.get("sent_by"):
        return (
            f"{f['iif']} is in zone {f['zone']}: what goes from there to another one takes a policy (firewall-cmd "
            "--new-policy, --add-ingress-zone, --add-egress-zone, --set-target ACCEPT)."
        )
    return (
        "Since firewalld 2.3 that is StrictForwardPorts in /etc/firewalld/firewalld.conf: no lets Docker's published "
        "ports in; or firewall-cmd --add-forward-port for this one."
    )


def _fail2ban(f: Facts) -> str:
    jail, src = str(f.get("chain", "")).removeprefix("f2b-"), f.get("from")
    inside = f"docker exec {f['container']} " if f.get("container") else ""
    many = (
        f" {src} is the host's own address there: docker-proxy, or NAT, gives it to all clients that come that way, so "
        "the ban meets all of them." if f.get("from_host") else ""
    )  # fmt: skip
    yours = "if it is one of yours"
    if f.get("source"):
        yours = f"for it is {f['source']}, a container of this host"
        many += (
            " If that is a proxy, let what writes the log know its clients by their own addresses (trusted proxies, "
            "X-Forwarded-For)."
        )
    return f"{inside}fail2ban-client set {jail} unbanip {src}, and ignoreip = {src} in that jail, {yours}.{many}"


def _docker(f: Facts) -> str:
    if not f.get("within"):
        return ""
    return (
        f"Network {f['within']} was made with enable_icc=false: its containers shall not reach each other. Make it "
        "without that option, or put those that shall talk on a network of their own."
    )


def _kube_proxy(f: Facts) -> str:
    service, lacks = str(f.get("service") or "the Service"), f.get("endpoints")
    space, _, name = service.partition(":")[0].rpartition("/")
    of = f" -n {space}" if space else ""
    if lacks == "port":
        return (
            f"{f['to']} is a Service's address, and {f.get('to_port')} is none of its ports, which may be that of its "
            f"pods: kubectl get service -A | grep {f['to']} shows which it has; ask for one of these, or add it."
        )
    if lacks == "local":
        return (
            f"{service} has externalTrafficPolicy: Local, and no endpoint on this node: ask one that has one (a load "
            "balancer sees that by its healthCheckNodePort), run a pod of it here, or set the policy to Cluster."
        )
    if lacks == "none":
        return (
            f"{service} has this port, and nobody serves it: see kubectl{of} get endpointslices -l "
            f"kubernetes.io/service-name={name} and the pods' labels and readiness, start its pods, or delete the "
            "Service. If no kube-proxy runs here any more, its rules are left over: kube-proxy --cleanup takes them "
            "away. If something else shall have the port, give it another one."
        )
    return ""


def _calico(f: Facts) -> str:
    chain = str(f.get("chain", ""))
    if found := re.match(r"cali-(fhfw|thfw|fh|th)-(.+)", chain):
        forward = "with applyOnForward: true, " if "fw" in found[1] else ""
        return (
            f"Interface {found[2]} is a HostEndpoint, and no policy of it lets this pass: add a GlobalNetworkPolicy "
            f"{forward}that selects it and allows this (calicoctl apply), or delete that HostEndpoint."
        )
    return "A NetworkPolicy that selects that workload has to allow it (calicoctl get networkpolicy -A)."


def _libvirt(f: Facts) -> str:
    out = re.search(r" (?:-o|oif|oifname) (\S+)", str(f.get("cause", "")))
    bridge, net = f.get("in_bridge"), out.group(1) if out is not None else None
    if net is not None and f.get("sent_by"):
        return (
            f"libvirt lets nobody into the network on {net} from outside, whatever else sends it there. "
            f"{_let_in(f, net)} lets this in; libvirt makes its rules anew with the network, so put it into "
            "/etc/libvirt/hooks/network. Or make that network with <forward mode='open'/>: libvirt then makes no rules."
        )
    if net is None or bridge is None:
        return ""
    return (
        f"libvirt lets nobody into the network on {net} from other networks. iptables -I FORWARD -i {bridge} -o {net} "
        "-j ACCEPT lets this one in, and has to stand before LIBVIRT_FWI, so again after libvirt makes its rules: in "
        "/etc/libvirt/hooks/network. Or make that network with <forward mode='open'/>: libvirt then makes no rules."
    )


def _let_in(f: Facts, out: str) -> str:
    """Return the command that lets what was sent on pass before libvirt's own rules."""
    port, protocol = f.get("to_port"), f.get("to_protocol")
    if not str(f["cause"]).startswith("rule “ip"):
        asks = f" -p {protocol} --dport {port}" if port else ""
        return f"iptables -I FORWARD -d {f['to']} -o {out}{asks} -j ACCEPT"
    table, asks = str(f["cause"]).removeprefix("rule “").partition(":")[0], f" {protocol} dport {port}" if port else ""
    return f"nft insert rule {table} ip daddr {f['to']}{asks} accept"


def _tailscale(f: Facts) -> str:
    if "100.64.0.0/10" not in str(f.get("cause", "")):
        return ""
    takes = "Tailscale takes all of 100.64.0.0/10 for its own, and drops it where it comes by another interface"
    if f.get("source"):
        return (
            f"{takes}; {f['source']} has an address of it. Give its network other addresses and make it again (docker "
            "network create --subnet, default-address-pools in daemon.json)."
        )
    return (
        f"{takes}; here the network outside uses those addresses as well (CGNAT). tailscale set "
        "--netfilter-mode=nodivert, and rules of your own, or another range there."
    )


def _shorewall(f: Facts) -> str:
    bridge = f.get("in_bridge") or f.get("iif") or "the interface that it comes by"
    to = "$FW" if not f.get("forwarded") else "ZONE"
    port = f" {f['to_protocol']} {f['to_port']}" if f.get("to_port") else ""
    return (
        f"/etc/shorewall/interfaces says which zone {bridge} is in: if it is in none, put it into one (dock {bridge} "
        f"routeback); then /etc/shorewall/rules lets it pass (ACCEPT dock {to}{port}), and shorewall reload."
    )


def _fw4(f: Facts) -> str:
    bridge = f.get("in_bridge") or f.get("iif") or "the interface that it comes by"
    return (
        f"In /etc/config/firewall a zone has to have {bridge} (list device '{bridge}'), and a forwarding from it, or a "
        "rule, lets this pass; then service firewall reload. A zone without a device has chains, and nothing leads to "
        "them."
    )


def _mullvad(f: Facts) -> str:
    return (
        "It lets pass what goes through its tunnel, and takes networks of containers for the LAN: mullvad lan set "
        "allow (“Local network sharing”) lets those and the LAN talk."
    )


def _wg_quick(f: Facts) -> str:
    return (
        "What is for the tunnel's own address is taken from the tunnel alone. Ask by another address of this host, or "
        "by the container's name."
    )


TOLD: dict[str, Callable[[Facts], str]] = {
    UFW: _ufw,
    "firewalld": _firewalld,
    "fail2ban": _fail2ban,
    "Docker": _docker,
    "kube-proxy": _kube_proxy,
    "Calico": _calico,
    "libvirt": _libvirt,
    "Tailscale": _tailscale,
    "Shorewall": _shorewall,
    "OpenWrt's firewall": _fw4,
    "Mullvad": _mullvad,
    "wg-quick": _wg_quick,
}

"""What a host's state tells by itself."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, packets, several, texts


def forward_policy_drop(f: Facts) -> Words:
    """FORWARD drops what nobody accepts."""
    networks = texts(f, "networks")
    named = f"network {networks[0]} sends" if len(networks) == 1 else f"networks {several(networks)} send"
    return Words(
        f"FORWARD drops all that {named}",
        "A packet from a container to the outside meets no rule of the chain FORWARD that accepts it, so the policy "
        "DROP decides. A firewall that was reloaded after Docker had added its rules takes them away.",
        "no rule of FORWARD accepts it, and its policy is DROP",
    )


def mtu_mismatch(f: Facts) -> Words:
    """More than the uplink, or the other end, carries."""
    limit = f["limit"]
    if f.get("container"):
        name, lost = f["container"], plural(number(f, "lost"), "packet")
        return Words(
            f"{f['inner']} of {name} has MTU {f['mtu']}, its end on the host, {f['outer']}, {limit}: {lost} too long",
            "What is longer than the other end takes is dropped between them without a word: handshakes and short "
            "messages pass, long ones hang.",
            remedy="Give both ends one MTU, by com.docker.network.driver.mtu of the network; for now:",
        )
    if f.get("missing"):
        size = f"network {f['network']} has MTU {f['mtu']}, the uplink {f['uplink']} only {limit}"
        return Words(
            f"{size}: {number(f, 'missing'):,} bytes never came to {f['uplink']}",
            "Containers tell their peers that they take segments of that size (MSS); such segments are too long for "
            "the way to this host, and nobody tells their senders, or they do not hear it: what their sequence numbers "
            f"count on never came. Handshakes and short answers pass. {affected(f)}",
            f"{size}: long segments of the answer never come",
            verb=Verb.USE,
            remedy=f'"mtu": {limit} in /etc/docker/daemon.json, or for one network docker network create -o '
            f"com.docker.network.driver.mtu={limit} (in compose: driver_opts); until then iptables -t mangle -I "
            "FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu.",
        )
    return Words(
        f"network {f['network']} has MTU {f['mtu']}, the uplink {f['uplink']} only {limit}",
        "Containers send packets that do not fit the uplink. The kernel tells them so by ICMP; wherever that is "
        "filtered, large transfers hang while small ones work.",
        remedy=f'"mtu": {limit} in /etc/docker/daemon.json, or for one network docker network create -o '
        f"com.docker.network.driver.mtu={limit}.",
    )


def bridge_netfilter_off(_: Facts) -> Words:
    """iptables is not asked."""
    return Words(
        "bridges do not ask iptables",
        "Packets between containers of one bridge do not pass iptables: --icc=false does not hold, and a published "
        "port reached from the same bridge by the host's address may not be translated back.",
    )


def bridge_address_lost(f: Facts) -> Words:
    """The gateway is gone."""
    bridge, gateway, network = f["bridge"], f["gateway"], f["network"]
    has = f", it has {', '.join(texts(f, 'has'))}" if texts(f, "has") else ""
    route = " Without it the host has no route to them either, and sends what is for them out by the default route."
    asked = f": {packets(f)} came to nothing" if f.get("packets") else ""
    return Words(
        f"{bridge} has lost {gateway}, the gateway of network {network}{has}{asked}",
        f"Containers ask for it in vain.{'' if f.get('routed') else route} Something took it away: "
        f"NetworkManager, systemd-networkd, a script, ip addr flush. {affected(f)}".rstrip(),
        f"{bridge} has lost {gateway}, the gateway of network {network}",
        remedy="Give it back, or restart Docker; and let whoever manages interfaces leave Docker's bridges alone "
        "(NetworkManager: unmanaged-devices, networkd: Unmanaged=yes).",
    )


SAYS = {
    "bridge-address-lost": bridge_address_lost,
    "forward-policy-drop": forward_policy_drop,
    "mtu-mismatch": mtu_mismatch,
    "bridge-netfilter-off": bridge_netfilter_off,
}

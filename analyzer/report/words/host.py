"""What a host's state tells by itself."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Words, number, several, texts


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


SAYS = {
    "forward-policy-drop": forward_policy_drop,
    "mtu-mismatch": mtu_mismatch,
    "bridge-netfilter-off": bridge_netfilter_off,
}

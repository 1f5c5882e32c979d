"""Why a port of the host leads to no container, though one comes near: what is wrong, and what helps."""

from analyzer.report.words.sentence import Facts, texts


def published(f: Facts) -> tuple[str, str]:
    """Say how a container publishes what comes near, and what helps."""
    who, text = f["publisher"], str(f["port_text"])
    if f["publishes"] == "inside-port" and len(each := texts(f, "each")) > 1:
        return (f"that is the own port of several containers, which publish it otherwise: {', '.join(each)}",
                "From outside, ask for the port that whoever is meant is published at.")  # fmt: skip
    outside, inside = text.partition("->")[::2]
    return {
        "not-running": (f"{who}, which publishes that port, does not run ({f.get('status')})",
                        f"docker logs {who} says why; docker start {who}."),
        "no-proxy": (f"docker-proxy for {text} of {who} does not run",
                     f"docker restart {who} starts it again. Until then, ask {who} on a network that both are on."),
        "host-network": (f"{who} is on the host's network, where publishing {text} does nothing",
                         f"Ask for its program's own port, {inside.partition('/')[0]}, or give it a network."),
        "internal": (f"{who} is on network {f.get('network')}, which is internal: it publishes nothing",
                     f"docker network connect NETWORK {who}, with one that is not internal."),
        "gateway-elsewhere": (
            (f"Docker took {text} of {who} back, for its default gateway is on {f.get('network')}, which publishes "
             "nothing"),
            (f"Let {who} have its gateway on a bridge network: gw_priority in compose, docker network connect "
             "--gw-priority, since Docker 28; before that, the network whose name comes first has it. Or take it off "
             f"{f.get('network')}, or ask for its address there.")),
        "not-published": (f"{who} was to publish {text}, and Docker does not",
                          f"The daemon's log says why (journalctl -u docker); docker restart {who} tries again."),
        "other-address": (f"{who} publishes it as {text}, at that address alone",
                          (f"Ask for {who} on a network that both are on, port {inside.partition('/')[0]}; or publish "
                          "it "
                           "at the address that is asked, too. Without an address all the world may reach it.")),
        "other-version": (f"{who} publishes it as {text}, for that IP version alone",
                          "Ask by the other IP version, or publish for both."),
        "other-protocol": (f"{who} publishes it as {text}, which is another protocol",
                           f"Publish it for the protocol that is asked: -p .../{'udp' if 'tcp' in inside else 'tcp'}."),
        "unpublished": (f"{who} listens on {text}, and does not publish it",
                        (f"If {who} was meant: publish the port, docker run -p; or ask {who} by its name on a network "
                         "that both are on. If not, there is nothing to do.")),
        "inside-port": (f"that is {who}'s own port, which it publishes as {text}",
                        f"From outside, ask for port {outside.rpartition(':')[2]}."),
    }[str(f["publishes"])]  # fmt: skip

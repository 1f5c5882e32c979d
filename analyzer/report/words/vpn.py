"""Sentences about the host's own tunnels: WireGuard and IPsec."""

from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, packets, texts

SHOWN = 3


def wireguard(f: Facts) -> Words:
    """For whom nobody is, or who never answers."""
    return _not_allowed(f) if f.get("address") else _silent(f)


def _not_allowed(f: Facts) -> Words:
    dev, address, allowed = f["dev"], f["address"], texts(f, "allowed")
    rest = f" and {len(allowed) - SHOWN} more" if len(allowed) > SHOWN else ""
    takes = f"takes {', '.join(allowed[:SHOWN])}{rest}" if allowed else "takes no address at all"
    return Words(
        f"{packets(f)} sent to {dev}, none of whose peers is for {address}",
        f"By the route “{f.get('route', '')}” the host sends them to {dev}, and WireGuard sends to a peer only what is "
        f"among its allowed IPs: {dev} {takes}. All else it drops. {affected(f)}",
        f"none of {dev}'s peers has {address} among its allowed IPs",
        remedy="Add the address's network to AllowedIPs of the peer behind which it is, here and in its configuration "
        "file; the other end needs a way back for the sender's addresses as well. If it is not behind that tunnel, "
        "take the route away.",
    )


def _silent(f: Facts) -> Words:
    dev, age = f["dev"], number(f, "age_s")
    when = "never shook hands" if age < 0 else f"shook hands {age:,} s ago for the last time"
    if not f.get("endpoint"):
        return Words(
            f"{packets(f)} sent to {dev}, whose peer for them {when}",
            f"No endpoint is known for that peer: it has to speak first, and has not. {affected(f)}",
            f"{dev}'s peer for it {when}, and no endpoint of it is known",
            verb=Verb.ANSWER,
            remedy="Start the tunnel at the other end, with PersistentKeepalive there if it is behind NAT; or set "
            "Endpoint here.",
        )
    end = f"{f['endpoint']}:{f['port']}"
    return Words(
        f"{packets(f)} sent to {dev}, whose peer {end} {when}",
        f"WireGuard sends nothing on until both ends have shaken hands. {affected(f)}",
        f"{dev}'s peer {end} {when}, so WireGuard sends nothing to it",
        verb=Verb.ANSWER,
        remedy=f"See at the other end whether UDP port {f['port']} is let in and listened to (wg show, its firewall, "
        "port forwarding of a router before it), and whether each end has the other one's public key: who has not, "
        "gets no answer.",
    )


def ipsec(f: Facts) -> Words:
    """Blocked, or without keys."""
    if f["blocks"]:
        return Words(
            f"{packets(f)} went no further than {f['last']}: an IPsec policy blocks them",
            f"The policy “{f['policy']}” says block. {affected(f)}",
            f"the IPsec policy “{f['policy']}” blocks it",
            remedy="See who set the policy (swanctl --list-conns, a connection with type=drop, ip xfrm policy), and "
            "take it away, or make a passthrough policy for these addresses.",
        )
    return Words(
        f"{packets(f)} went no further than {f['last']}: an IPsec policy wants them encrypted, and there are no keys",
        f"The policy “{f['policy']}” wants {f['protocol']} to {f['end']}, and no state (SA) is there for it: the "
        f"tunnel is not up. {affected(f)}",
        f"the IPsec policy “{f['policy']}” wants {f['protocol']} to {f['end']}, for which there are no keys",
        remedy=f"Bring the tunnel to {f['end']} up, and see why it is not: swanctl --list-sas, its daemon's log, UDP "
        "ports 500 and 4500 to the other end. If nobody needs it any more, take the policy away.",
    )


SAYS = {"wireguard-no-peer": wireguard, "ipsec-drops": ipsec}

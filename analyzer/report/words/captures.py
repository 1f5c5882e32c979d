"""What makes captures, or what is made of them, doubtful."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Words, number, packets, texts


def capture_loss(f: Facts) -> Words:
    """Not whole."""
    frames = number(f, "frames")
    if f.get("file") and f.get("limited"):
        was = "was" if frames == 1 else "were"
        return Words(
            f"only {plural(frames, 'frame')} of {f['file']} {was} read",
            f"At byte {f['offset']}: {f['problem']}.",
            remedy="Give a part of the captures, or more memory.",
        )
    if f.get("file"):
        return Words(
            f"{f['file']} is damaged after {plural(frames, 'frame')}",
            f"At byte {f['offset']}: {f['problem']}. What came before is used.",
            remedy="Record it again, and end tcpdump with SIGINT, so that it writes its last block.",
        )
    where = f["where"]
    if f.get("dropped"):
        dropped = number(f, "dropped")
        return Words(
            f"{plural(dropped, 'frame')} {'was' if dropped == 1 else 'were'} dropped at {where}",
            "The kernel dropped them before the capture wrote them: absence there proves nothing.",
        )
    if f.get("link_type"):
        return Words(
            f"{plural(frames, 'frame')} of {f['link_type']} at {where} {'was' if frames == 1 else 'were'} not looked "
            "into",
            "Frames of this link type are not decoded: nothing is known of their packets.",
            remedy="Capture where the packets have Ethernet headers, or none: on a veth, a bridge, an uplink, or any.",
        )
    return _ended(f)


def _ended(f: Facts) -> Words:
    where, ended = f["where"], f["ended"]
    if f.get("uncounted"):
        return Words(
            f"the capture at {where} did not end in good order: {ended}",
            "What it did not record, and since when, is not known: absence there proves nothing.",
            remedy="Record it again.",
        )
    gone, container = f.get("gone"), f.get("container")
    stopped = f" Container {container} stopped, or its network was taken away." if container and gone else ""
    return Words(
        f"the capture at {where} ended before the others: {ended}",
        f"What came after is not known there.{stopped}",
        remedy="See docker-events.json for what happened to the container, and docker logs for why."
        if gone
        else "Record it again; if the disk was full, elsewhere, or with fewer bytes of each frame (-s).",
    )


def capture_gap(f: Facts) -> Words:
    """A hole."""
    where = f["where"]
    return Words(
        f"{packets(f)} passed {where} unrecorded, within {number(f, 'long_s'):.2f} s",
        f"They were seen before and behind {where}, as all others of their connections, but not there. Its capture has "
        "a hole: absence there proves nothing then.",
    )


def capture_doubles_packets(f: Facts) -> Words:
    """What the capture itself changed."""
    whom = f"container {f['container']}" if f.get("container") else "its container"
    return Words(
        f"{plural(number(f, 'twice'), 'packet')} came to {whom} twice, because of the capture",
        f"{f['where']} shows them once as the bridge forwarded them, and once more as it routed them, a TTL lower: "
        "capturing at the bridge made it promiscuous. Without the capture there is one of each.",
    )


def two_clocks(f: Facts) -> Words:
    """Two hosts that were taken for one."""
    one, two, ahead = ", ".join(texts(f, "first")), ", ".join(texts(f, "second")), number(f, "ahead_s")
    one_only = number(f, "crossing") == 1
    sent, both = ("it was", "is") if one_only else ("they were", "are")
    before = f"would arrive before {sent} sent" if f.get("before_sent") else f"{both} at both"
    return Words(
        f"{one} and {two} have two clocks, {abs(ahead):,.3f} s apart",
        f"{plural(number(f, 'crossing'), 'packet')}, in both directions, {before}, unless {two} is of another host, "
        f"whose clock is {abs(ahead):,.3f} s {'ahead' if ahead > 0 else 'behind'}. Until that is said, times between "
        "the two, and what seems lost or unanswered there, say nothing.",
        remedy=f"Say so: --point {f['example']}={f['file']},host=OTHER",
    )


def ambiguous_packets(f: Facts) -> Words:
    """More than one grouping."""
    return Words(
        f"{f['connections_unsure']} connections and {f['frames']} frames fit more than one grouping",
        "Equal packets went through the host at the same time, and nothing in them tells which is which. "
        "They are grouped by order and time, and marked.",
    )


SAYS = {
    "capture-loss": capture_loss,
    "capture-gap": capture_gap,
    "capture-doubles-packets": capture_doubles_packets,
    "two-clocks": two_clocks,
    "ambiguous-packets": ambiguous_packets,
}

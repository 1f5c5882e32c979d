"""A packet is longer than a link takes, and its sender is told: path MTU discovery (RFC 1191, RFC 8201)."""

from collections.abc import Iterator

from analyzer.diagnose.causes import affected, by_cause
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Stopped, Subject
from analyzer.model import Finding, Severity
from analyzer.model.words import plural
from analyzer.schema import Layer

TOO_LONG = {(4, 3, 4), (6, 2, 0)}


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of links of this host, then of what routers said."""
    told: dict[tuple[str, int], list[int]] = {}
    for error in subject.errors:
        if error.kind in TOO_LONG and error.quoted is not None:
            told.setdefault((str(error.source), error.mtu), []).append(error.quoted)
    quoted = {packet for packets in told.values() for packet in packets}
    for stopped in subject.stopped.get(CHECK.name, ()):
        stopped.packets[:] = [packet for packet in stopped.packets if packet not in quoted]
    if any(stopped.packets for stopped in subject.stopped.get(CHECK.name, ())):
        yield from by_cause(subject, CHECK, _explain, lambda stopped: (CHECK.remedy, None))
    for (source, mtu), packets in told.items():
        longest = int(max(subject.first("ip_len")[packets]))
        adapts = all(_adapts(subject, packet) for packet in packets)
        fits = f"at most {mtu} bytes fit" if mtu else "the link takes less"
        yield CHECK.finding(
            f"{plural(len(packets), 'packet')} of up to {longest} bytes: {source} says {fits}",
            f"{_says(adapts)} {affected(subject, packets)}",
            severity=Severity.INFO if adapts else Severity.ERROR,
            evidence=subject.evidence(packets),
            remedy=f'"mtu": {mtu or 1400} in daemon.json, or --opt com.docker.network.driver.mtu={mtu or 1400} for the '
            "network, so that containers know the smallest link from the start.",
        )
        (subject.explain if adapts else subject.claim)(packets)


def _says(adapts: bool) -> str:
    if adapts:
        return "TCP sends shorter segments from then on: path MTU discovery works, at the price of a round trip."
    return "They are gone; the sender was told, but does not send shorter ones."


def _adapts(subject: Subject, packet: int) -> bool:
    """Tell whether a TCP connection went on after it had been told."""
    number = int(subject.connection[packet])
    if number < 0 or not subject.context.layers(int(subject.first_row[packet])) & Layer.TCP:
        return False
    way = bool(subject.reply[packet])
    later = subject.packets_of(number, reply=not way)
    acked = subject.first("ack")[later[later > packet]]
    seq = int(subject.first("seq")[packet])
    return any((int(ack) - seq) % (1 << 32) - 1 < 1 << 31 for ack in acked.tolist() if int(ack) != seq)


def _explain(stopped: Stopped) -> str:
    return "They are longer than the link that they have to leave by takes."


CHECK = Check(
    "mtu-exceeded",
    Severity.ERROR,
    "captures (ip-addr.json, ip-route.json)",
    "Packets are too long for a link, and ICMP tells their sender (info, where TCP adapts).",
    "Give the Docker network the smallest MTU on the way.",
    look,
)

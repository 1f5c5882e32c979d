"""Two machines have one address."""

from collections.abc import Iterator

from analyzer.diagnose.cards import claims, contested
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import SHOWN, Subject
from analyzer.model import Finding, Severity, mac_text


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of addresses for which two MACs answer."""
    for ip, made in claims(subject).items():
        if not contested(made):
            continue
        macs = {claim.mac: claim.row for claim in reversed(made)}
        owners = ", ".join(_owner(subject, mac, row) for mac, row in list(reversed(macs.items()))[:SHOWN])
        owners += f" and {len(macs) - SHOWN:,} more" if len(macs) > SHOWN else ""
        yield CHECK.finding(
            f"{ip} belongs to {len(macs):,} machines",
            f"{owners} all answer for it. Who is asked sends to the one whose answer came last, so connections break "
            "off and hang.",
            evidence=tuple(subject.shown(claim.row) for claim in made[:5]),
        )


def _owner(subject: Subject, mac: int, row: int) -> str:
    container = subject.context.owner_of_mac(mac, row)
    return f"{mac_text(mac)} ({container.name})" if container is not None else mac_text(mac)


CHECK = Check(
    "duplicate-address",
    Severity.ERROR,
    "captures (docker-inspect.json)",
    "Two MAC addresses answer for one IP address at the same time, or take turns.",
    "Give one of them another address; outside Docker's own addresses, look for it in the LAN and in DHCP.",
    look,
)

"""What of rules is evaluated, and what is not and why: made from the tables that the evaluation itself uses."""

from analyzer.model.question import Missing
from analyzer.model.rules import NatTarget
from analyzer.model.verdict import Why
from analyzer.state.rules import nft_questions, options, targets

Rows = list[tuple[str, str]]
STATEMENTS = (
    "accept", "drop", "reject", "return", "continue", "jump", "goto", "vmap", "counter", "notrack",
    *(kind.value.lower() for kind in NatTarget), "tproxy", "meta mark set", "ct mark set", "ip ttl set", "ip dscp set",
)  # fmt: skip
"""Statements of nftables that are followed, also with maps, ``&``, ``|`` and ``^``."""


def evaluated() -> Rows:
    """Give what is evaluated, by what it is of."""
    return [
        ("iptables: matches", ", ".join(f"{module} {' '.join(names)}".strip() for module, names in _matches())),
        ("iptables: targets", ", ".join(sorted((*targets.KNOWN, *targets.WITHOUT_EFFECT)))),
        ("nftables: meta", ", ".join(sorted(nft_questions.META))),
        ("nftables: headers", ", ".join(f"{protocol} {' '.join(sorted(fields))}" for protocol, fields in _headers())),
        ("nftables: ct", ", ".join(sorted((*nft_questions.CT, "status", *nft_questions.ENDS)))),
        ("nftables: fib", "saddr type, daddr type, saddr . iif oif (missing, exists)"),
        ("nftables: statements", ", ".join(STATEMENTS)),
        ("sets", "ranges, prefixes, names with *, concatenations, maps, verdict maps"),
        ("ipset", "hash: and bitmap: of ip, net, port, mark, iface and mac; nomatch"),
    ]  # fmt: skip


def undecidable() -> Rows:
    """Give what is not decidable, with why."""
    by_reason: dict[Missing, list[str]] = {}
    for tool, missing in (("-m ", options.MISSING), ("", nft_questions.MISSING), ("meta ", nft_questions.META_MISSING)):
        for name, reason in missing.items():
            by_reason.setdefault(reason, []).append(f"{tool}{name}")
    return [
        (f"it {reason.words}", f"{reason.meaning} {_such(by_reason.get(reason, []))}".strip()) for reason in Missing
    ]


def causes() -> Rows:
    """Give what stops a packet, with the kernel's place for it."""
    return [(why.words, why.kernel) for why in Why]


def _such(names: list[str]) -> str:
    return f"({', '.join(sorted(names))})" if names else ""


def _matches() -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {"": []}
    for module, name in options.KNOWN:
        found.setdefault(f"-m {module}" if module else "", []).extend([name] if name != "-m" else [])
    found.setdefault("-m set", []).append("--match-set")
    return sorted((module, sorted(names)) for module, names in found.items())


def _headers() -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for protocol, name in nft_questions.PAYLOAD:
        found.setdefault(protocol, []).append(name)
    return sorted(found.items())

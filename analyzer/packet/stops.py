"""What stops a packet in one host's state, in the words of checks: from an account of its path to a cause with proof.

What the dumps do not decide stays unknown, and a rule whose counter stood still is acquitted.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from analyzer.model import Address, Disposition, HostState
from analyzer.model.question import Field, Of, Test
from analyzer.model.rules import Rule, Table, Verdict
from analyzer.model.verdict import Account, Why
from analyzer.state.path import Path
from analyzer.state.routing import Chosen
from analyzer.state.rules.packet import Packet
from analyzer.state.sysctl import forwards, reverse_path, sysctl_line, takes_loopback

ISOLATION = ("DOCKER-ISOLATION", "DOCKER-INTERNAL", "NETAVARK-ISOLATION")
"""Chains by which Docker and Podman keep networks apart."""
DOCKER_TABLES = ("ip docker-bridges", "ip6 docker-bridges")
"""Of Docker's own with nftables: what it drops there is isolation, and has a comment (nftablesdoc of moby)."""
CHECKS = {
    Why.NO_ROUTE: "host-unreachable", Why.DEAD_END: "host-unreachable", Why.ROUTING_RULE: "host-unreachable",
    Why.FORWARDING: "forwarding-disabled", Why.REVERSE_PATH: "reverse-path-filtered", Why.MTU: "mtu-exceeded",
    Why.NEIGHBOUR: "arp-unanswered", Why.MARTIAN: "loopback-not-routed",
}  # fmt: skip
"""The checks that report what stops a packet; a TTL that ends is seen in the packet itself."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What stops a packet."""

    check: str
    """Name of the check that reports it."""
    text: str
    """What it is, in a few words: the same for all packets that it stops."""
    proof: tuple[str, ...]
    """Lines of dumps, each after its file's name."""
    disposition: Disposition = Disposition.DROPPED
    rule: Rule | None = None
    policy: tuple[str, str] | None = None
    """Table and chain of the policy that drops, where no rule does."""
    route: Chosen | None = None
    """The route that leads nowhere."""
    next_hop: Address | None = None
    """The neighbour that does not answer."""
    settings: tuple[str, ...] = ()
    """The sysctls that make it so."""
    unknown: bool = False
    """The dumps do not decide; *text* says what cannot be told."""
    acquits: bool = False
    """A rule or policy would stop it, but its counter stood still."""
    of_answer: bool = False
    """It is the host's answer that it stops."""
    past: bool = False
    """It was so before the captures ran, and is not any more."""
    sent_by: Rule | None = None
    """The rule that had translated its destination before."""


@dataclass(frozen=True, slots=True)
class Passed:
    """How a packet goes on, if nothing stops it."""

    text: str
    source_moved: bool
    """Its source address was translated."""
    target_moved: bool
    out: str | None = None
    """The interface that it leaves by."""
    route: Chosen | None = None
    """What sends it there."""


class Way:
    """One packet's way through one host's state."""

    def __init__(
        self,
        host: HostState,
        packet: Packet,
        guess: str | None = None,
        *,
        skip: Collection[Rule] = (),
        past: bool = False,
    ) -> None:
        """
        Take a state and a packet.

        *guess* is the way out where no routes were recorded, *skip* are rules that shall not match, and of a *past*
        state counters say nothing.
        """
        self._host, self._packet, self._past = host, packet, past
        self._path = Path(host, guess=guess, skip=skip)
        self.account = Account()

    @property
    def passed(self) -> Passed:
        """Tell how the packet went on, after ``stopped()`` found nothing."""
        account = self.account
        accepted = [rule for rule in account.matched if rule.target == "ACCEPT"]
        by = f"accepted by “{accepted[-1].text}”" if accepted else "stopped by no rule"
        nat = account.translations
        translated = f", translated by “{nat[-1].rule.text}”" if nat else ""
        out = account.packet.oif if account.packet is not None else None
        to_host = account.for_host and not self._packet.dst_is_group
        where = ", for the host itself" if to_host else f", and leaves by {out}" if isinstance(out, str) else ""
        return Passed(
            f"{by}{translated}{where}",
            account.source_moved,
            account.target_moved,
            out if isinstance(out, str) and not to_host else None,
            self._path.chosen,
        )

    def stopped(self, *, bridged: bool) -> Cause | None:
        """Return what stops the packet, None if nothing does."""
        self.account = self._path.bridged(self._packet) if bridged else self._path.received(self._packet)
        return self.cause(self.account)

    def sent(self) -> Cause | None:
        """Return what stops a packet which the host itself sends, None if nothing does."""
        self.account = self._path.sent(self._packet)
        return self.cause(self.account)

    def cause(self, account: Account) -> Cause | None:
        """Say what stopped a packet, by the account of its path."""
        if account.verdict is Verdict.ACCEPT or account.why is Why.TTL:
            return None
        if account.verdict is Verdict.UNKNOWN:
            return Cause("filtered-by-rule", account.text, (), rule=account.rule, unknown=True)
        if account.why in CHECKS:
            return self._by_state(account, CHECKS[account.why])
        killed = Disposition.REJECTED if account.verdict is Verdict.REJECT else Disposition.DROPPED
        found = self._by_rule(account, account.rule, killed) if account.rule is not None else None
        if found is None and account.policy is not None:
            found = self._by_policy(*account.policy, killed)
        sent_by = next((one.rule for one in account.translations if not one.kind.of_source), None)
        return replace(found, sent_by=sent_by) if found is not None else None

    def _by_state(self, account: Account, check: str) -> Cause:
        settings, route = self._settings(account), account.route
        proof = (*(sysctl_line(self._host, name) for name in settings), *self._proof(account))
        leads_nowhere = account.why in (Why.DEAD_END, Why.ROUTING_RULE)
        version = account.packet.version
        lost = account.why is Why.NO_ROUTE and not any(
            route.dst.version == version and not route.dst.prefixlen for route in self._host.routes
        )
        return Cause(
            check,
            f"no default route for IPv{version}" if lost else account.text,
            proof,
            route=route if leads_nowhere else None,
            next_hop=account.next_hop,
            settings=settings,
        )

    def _settings(self, account: Account) -> tuple[str, ...]:
        """Name the sysctls that stop a packet."""
        iif = account.packet.iif if isinstance(account.packet.iif, str) else None
        if account.why is Why.FORWARDING:
            switch = forwards(self._host, account.packet.version, iif)
            return (switch.name,) if switch is not None else ()
        if account.why is Why.MARTIAN:
            taken = takes_loopback(self._host, iif)
            return (taken.name,) if taken is not None else ()
        if account.why is Why.REVERSE_PATH:
            mode = reverse_path(self._host, iif)
            return tuple(mode.names) if mode is not None else ()
        return ()

    def _proof(self, account: Account) -> list[str]:
        """Give the lines of dumps that show what stops a packet beside rules."""
        route, why = account.route, account.why
        if why in (Why.FORWARDING, Why.REVERSE_PATH):
            return [f"ip-route.json: {route.route.text}"] if why is Why.REVERSE_PATH and route is not None else []
        if why is Why.NO_ROUTE:
            return [f"ip-route.json: none fits {account.text.rpartition(' ')[2]}"]
        if why is Why.ROUTING_RULE:
            return [f"ip-rule.json: {route.rule.text}"]
        if why is Why.DEAD_END:
            table = f" in table {route.route.table}" if route.route.table != "main" else ""
            line = f"ip-route.json: {route.route.kind} {route.route.text}{table}"
            return [line, *([f"ip-rule.json: {route.rule.text}"] if table else [])]
        return list(account.proof)

    def _by_rule(self, account: Account, rule: Rule, killed: Disposition) -> Cause:
        jumps = [one for one in account.matched if one.target == rule.chain or one is rule] or [rule]
        shown = tuple(f"{one.dump}: {one.text}" for one in jumps)
        if not self._past and acquitted(self._host, rule):
            text = f"the rules would stop it at “{rule.text}”, but that counted nothing meanwhile"
            return Cause("filtered-by-rule", text, shown, unknown=True, acquits=True)
        check = "network-isolation" if self._isolates(rule) else "filtered-by-rule"
        return Cause(check, f"rule “{rule.text}” in {rule.table}", shown, killed, rule)

    def _by_policy(self, table: Table, chain: str, killed: Disposition) -> Cause:
        label = table.label
        if not self._past and self._policy_stood_still(table, chain):
            text = f"policy DROP of {label} {chain} would stop it, but that counted nothing meanwhile"
            return Cause("filtered-by-rule", text, (), unknown=True, acquits=True)
        proof = (f"{table.dump}: {label} {chain}: policy drop",)
        return Cause("filtered-by-rule", f"policy DROP of {label} {chain}", proof, killed, policy=(label, chain))

    def _policy_stood_still(self, table: Table, chain: str) -> bool:
        """Tell whether its counter shows that a policy stopped nothing while captures ran."""
        now, before = (self._host.policy(table, chain, before=past) for past in (False, True))
        return now is not None and before is not None and now.packets is not None and now.packets == before.packets

    def _isolates(self, rule: Rule) -> bool:
        """Tell whether an engine made a rule to keep networks apart: its chains, or those for direct access (28.0)."""
        if rule.chain.startswith(ISOLATION) or (rule.table in DOCKER_TABLES and rule.comment):
            return True
        tests = {step.value.field: step for step in rule.steps if isinstance(step, Test) and isinstance(step.value, Of)}
        dst, iif = tests.get(Field.DST), tests.get(Field.IIF)
        if rule.table == "raw" and rule.chain == "PREROUTING" and dst is not None and iif is not None and iif.negated:
            return any(ip in dst.operand.members for c in self._host.containers for ip in c.addresses)
        return rule.chain == "DOCKER" and rule.target == "DROP" and rule.table == "filter"


def moved(host: HostState, rule: Rule) -> int | None:
    """Return how far a rule's counter went while captures ran; None if that was not recorded."""
    before = host.counted_before(rule)
    return None if before is None or before > rule.packets else rule.packets - before


def acquitted(host: HostState, rule: Rule) -> bool:
    """Tell whether its counter shows that a rule stopped nothing: it did not move, or never counted."""
    if not rule.counts:
        return False
    # nft prints the counters that there are; iptables-save without -c makes zeros of all.
    counts = rule.native or any(one.packets for one in host.rules() if not one.native)
    went = moved(host, rule)
    return counts and (rule.packets == 0 if went is None else went == 0)

"""An account of a packet's way through a host, told stage by stage: what a reader may check with the dumps at hand."""

from collections.abc import Iterator
from itertools import pairwise

from analyzer.model import Basis, HostState
from analyzer.model.decision import Decision, Left, Stage
from analyzer.model.rules import Chain, Rule, Table, Verdict
from analyzer.model.verdict import Account, Asked, Met, Why
from analyzer.packet.context import Context
from analyzer.packet.prove import Prover
from analyzer.packet.stops import Way, acquitted
from analyzer.state.routing import Chosen
from analyzer.state.rules.owner import owner
from analyzer.state.rules.packet import Packet
from analyzer.state.rules.walk import CONNTRACK

HOOKS = {
    "received": ("ingress", "prerouting", "forward", "postrouting", "egress"),
    "own": ("output", "postrouting", "egress"),
    "host": ("ingress", "prerouting", "input"),
}
"""The order of hooks, by the way that a packet takes."""
DOES = {Verdict.DROP: "drops it", Verdict.REJECT: "rejects it", Verdict.ACCEPT: "accepts it"}


def decision(context: Context, prover: Prover, packet: int) -> Decision | None:
    """Run a packet through its host's recorded state, and tell all that it met; None where nothing was recorded."""
    rows = context.hop_rows(packet)
    row = _asked_at(context, prover, rows)
    built = prover.packet(packet, row) if prover.able(row) else None
    host = context.host_at(row)
    if built is None or not (host.routes or host.knows_rules(built.version)):
        return None
    bridged = prover.bridged(row)
    way = Way(host, built, prover.guess(row))
    way.stopped(bridged=bridged)
    told = _Telling(host, way.account, built)
    stages = tuple(told.stages(bridged=bridged))
    later, rules = told.not_reached(bridged=bridged)
    out = way.account.packet.oif if way.account.packet is not None else None
    chosen = next((one.route for one in reversed(way.account.met) if isinstance(one.route, Chosen)), None)
    out = out if isinstance(out, str) else chosen.route.dev if chosen is not None and not bridged else None
    point = context.point(row)
    return Decision(packet, point.host, point.name, stages, later, rules, None if way.account.for_host else out)


def _asked_at(context: Context, prover: Prover, rows: list[int]) -> int:
    """Return the row that shows the packet as the host got it: before it was forwarded, or the last."""
    for before, after in pairwise(rows):
        if context.point(before).host == context.point(after).host and not prover.bridged(before):
            ttls = context.value("ttl", before), context.value("ttl", after)
            if ttls[0] != ttls[1]:
                return before
    return rows[-1]


class _Telling:
    """Makes stages of an account."""

    def __init__(self, host: HostState, account: Account, packet: Packet) -> None:
        self._host, self._account, self._packet = host, account, packet

    def stages(self, *, bridged: bool) -> Iterator[Stage]:
        """Give all stages in order."""
        account = self._account
        link = self._host.link(self._packet.iif) if isinstance(self._packet.iif, str) else None
        if link is not None and link.kind == "bridge":
            told = "to another of its ports" if bridged else "its own MAC: up to the host"
            yield Stage(f"bridge {link.name}", told, Left.PASSED, Basis.INFERRED)
        tracked = False
        for place, met in enumerate(account.met):
            if met.chain is not None and met.chain.priority >= CONNTRACK and not tracked:
                tracked = True
                yield self._conntrack(met)
            behind = account.met[place + 1].asked if place + 1 < len(account.met) else len(account.trail)
            last = place + 1 == len(account.met)
            if met.chain is not None and met.table is not None:
                yield self._chain(met.table, met.chain, account.trail[met.asked : behind], last=last)
            else:
                yield self._routing(met)
        if account.verdict is not Verdict.ACCEPT and account.rule is None and account.policy is None:
            yield self._other()

    def _conntrack(self, met: Met) -> Stage:
        state = met.state.lower() if met.state is not None else "not known"
        return Stage("conntrack", state, Left.PASSED, Basis.INFERRED)

    def _chain(self, table: Table, chain: Chain, asked: list[Asked], *, last: bool) -> Stage:
        account, name = self._account, f"{table.label} {chain.name}"
        if account.verdict is not Verdict.ACCEPT and last and (account.rule is not None or account.policy is not None):
            if account.policy is not None:
                passed = len(asked)
                told = f"no rule accepts it, and the policy {DOES.get(account.verdict, 'decides')}"
                return Stage(name, told, Left.STOPPED, Basis.STATED, passed, chain=chain.name, dump=table.dump,
                             packets=chain.packets)  # fmt: skip
            if account.rule is not None:
                unknown = account.verdict is Verdict.UNKNOWN or acquitted(self._host, account.rule)
                told = account.text if account.verdict is Verdict.UNKNOWN else f"{_at(account.rule)} {_does(account)}"
                if unknown and account.verdict is not Verdict.UNKNOWN:
                    told = f"{_at(account.rule)} would stop it, but counted nothing meanwhile"
                outcome = Left.UNDECIDED if unknown else Left.STOPPED
                return self._by_rule(name, told, outcome, account.rule, _passed(asked, account.rule))
        if not chain.rules:
            return Stage(name, "no rules", Left.EMPTY, Basis.STATED, dump=table.dump)
        done = next((one.rule for one in reversed(asked) if one.answer is True and _ends(one.rule)), None)
        if done is not None:
            translated = next((one for one in account.translations if one.rule is done), None)
            does = f"does {translated.kind}" if translated is not None else "accepts it"
            return self._by_rule(name, f"{_at(done)} {does}", Left.PASSED, done, _passed(asked, done))
        return Stage(name, _over(_passed(asked, None)), Left.PASSED, Basis.STATED, _passed(asked, None),
                     dump=table.dump)  # fmt: skip

    def _by_rule(self, name: str, told: str, outcome: Left, rule: Rule, passed: int) -> Stage:
        counts = rule.counts
        return Stage(
            name, told, outcome, Basis.STATED, passed, rule.text, rule.chain, rule.number,
            self._host.counted_before(rule) if counts else None, rule.packets if counts else None,
            owner(rule, self._host), rule.dump,
        )  # fmt: skip

    def _routing(self, met: Met) -> Stage:
        route = met.route
        if isinstance(route, Chosen):
            table = f", table {route.route.table}" if route.route.table != "main" else ""
            return Stage("routing", f"{route.route.text}{table}", Left.PASSED, Basis.STATED, dump="ip-route.json")
        if route is None:
            return Stage("routing", "no route fits", Left.PASSED, Basis.STATED, dump="ip-route.json")
        return Stage("routing", str(route), Left.PASSED, Basis.STATED)

    def _other(self) -> Stage:
        """Tell what no rule and no policy decides: a setting, a route, a neighbour, or what nobody knows."""
        account = self._account
        if account.verdict is Verdict.UNKNOWN:
            return Stage("not decidable", account.text, Left.UNDECIDED, Basis.STATED)
        why = account.why.words if account.why is not None else "the kernel"
        basis = Basis.OBSERVED if account.why is Why.TTL else Basis.STATED
        return Stage(why, account.text, Left.STOPPED, basis)

    def not_reached(self, *, bridged: bool) -> tuple[tuple[str, ...], int]:
        """Name the hooks behind the stage that stopped the packet, and count the rules of their base chains."""
        account = self._account
        last = next((one.chain for one in reversed(account.met) if one.chain is not None), None)
        if account.verdict in (Verdict.ACCEPT, Verdict.UNKNOWN) or bridged:
            return (), 0
        order = HOOKS["host" if account.for_host else "received"]
        hook = last.hook if last is not None and last.hook in order else order[0]
        routed = account.met and account.met[-1].chain is None
        later = order[order.index(hook) + 1 :] if last is not None else order
        families = {"inet", "ip6" if self._packet.version == 6 else "ip"}
        chains = [
            (chain, name)
            for table in self._host.tables
            if table.family in families
            for chain in table.chains.values()
            for name in (f"{table.label} {chain.name}",)
            if chain.hook in later or (last is not None and not routed and _behind(chain, last))
        ]
        chains.sort(key=lambda one: (order.index(one[0].hook or ""), one[0].priority))
        return tuple(name for _, name in chains), sum(len(chain.rules) for chain, _ in chains)


def _behind(chain: Chain, last: Chain) -> bool:
    return chain.hook == last.hook and chain.priority > last.priority


def _at(rule: Rule) -> str:
    return f"rule {rule.number} of {rule.chain}"


def _does(account: Account) -> str:
    return DOES.get(account.verdict, "decides")


def _ends(rule: Rule) -> bool:
    """Tell whether a rule that matched ends its hook's chain."""
    return rule.target == "ACCEPT" or rule.nat is not None


def _passed(asked: list[Asked], decided: Rule | None) -> int:
    """Count the rules that were asked for nothing."""
    return sum(one.answer is not True and one.rule is not decided for one in asked)


def _over(rules: int) -> str:
    return f"{rules} rule{'' if rules == 1 else 's'} passed over" if rules else "no rule fits"

"""Networks whose packets leave the host with their private source, so that answers never find back."""

from collections.abc import Iterator

from analyzer.explain.host.asked import TCP, Host
from analyzer.explain.told import Told
from analyzer.model.rules import Verdict
from analyzer.state.rules.iptables import DUMPS


def missing(host: Host) -> Iterator[Told]:
    """Look at what each bridge network that shall masquerade sends out."""
    state, told = host.state, set()
    for question, way, _ in host.outward:
        network = question.of
        if network is None or not network.masquerades or network.name in told or question.packet.protocol != TCP:
            continue
        subnet = next((one for one in network.subnets if one.version == 4), None)
        if question.packet.version != 4 or subnet is None or 4 in network.routed or not state.knows_iptables(4):
            continue
        if way.account.verdict is Verdict.ACCEPT and not way.account.source_moved:
            told.add(network.name)
            rule = f"-A POSTROUTING -s {subnet} ! -o {network.bridge} -j MASQUERADE"
            shown = [r.text for r in state.rules() if (r.dump, r.table, r.chain) == (DUMPS[4], "nat", "POSTROUTING")]
            yield Told(
                {"network": network.name, "commands": [f"iptables -t nat {rule}"]},
                proof=tuple(f"iptables-save.txt: {text}" for text in shown[:3] or ["*nat has no rule in POSTROUTING"]),
            )

"""Networks whose packets leave the host with their private source, so that answers never find back."""

from collections.abc import Iterator

from analyzer.explain.host.asked import TCP, Host
from analyzer.explain.told import Told
from analyzer.explain.untranslated import is_public
from analyzer.model.rules import Verdict
from analyzer.state.rules.iptables import DUMPS


def missing(host: Host) -> Iterator[Told]:
    """Look at what each bridge network that shall masquerade sends out."""
    state, told = host.state, set()
    for question, way, _ in host.outward:
        network, version = question.of, question.packet.version
        if network is None or not network.masquerades or question.packet.protocol != TCP:
            continue
        subnet = next((one for one in network.subnets if one.version == version), None)
        if subnet is None or version in network.routed or not state.knows_iptables(version):
            continue
        if (network.name, version) in told or is_public(subnet.network_address):
            continue
        if way.account.verdict is Verdict.ACCEPT and not way.account.source_moved:
            told.add((network.name, version))
            rule, dump = f"-A POSTROUTING -s {subnet} ! -o {network.bridge} -j MASQUERADE", DUMPS[version]
            shown = [r.text for r in state.rules() if (r.dump, r.table, r.chain) == (dump, "nat", "POSTROUTING")]
            tool = "ip6tables" if version == 6 else "iptables"
            yield Told(
                {"network": network.name, "commands": [f"{tool} -t nat {rule}"]},
                proof=tuple(f"{dump}: {text}" for text in shown[:3] or ["*nat has no rule in POSTROUTING"]),
            )

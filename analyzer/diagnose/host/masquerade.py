"""Packets of a network leave the host with their private source, and answers never find back."""

from analyzer.diagnose.host.subject import Words, bridges, outgoing
from analyzer.model import Finding, HostState, Severity
from analyzer.model.rules import Verdict
from analyzer.state.rules.iptables import DUMPS

EXPLANATION = (
    "No rule of the nat table translates what this network's containers send out, so it leaves with a private source "
    "address: whoever gets it cannot answer."
)


def check(host: HostState) -> list[Finding]:
    """Run a packet out of each bridge network that shall masquerade."""
    found: list[Finding] = []
    for network, bridge in bridges(host):
        result = outgoing(host, network, bridge) if network.masquerades else None
        subnet = next((subnet for subnet in network.subnets if subnet.version == 4), None)
        if result is None or not host.knows_iptables(4) or subnet is None or result.verdict is Verdict.UNKNOWN:
            continue
        if result.verdict is Verdict.ACCEPT and not result.source_moved:
            rule = f"-A POSTROUTING -s {subnet} ! -o {bridge.name} -j MASQUERADE"
            remedy = f"systemctl restart docker, or: iptables -t nat {rule}"
            words = Words("masquerade-missing", Severity.ERROR, EXPLANATION, remedy)
            shown = [r.text for r in host.rules() if (r.dump, r.table, r.chain) == (DUMPS[4], "nat", "POSTROUTING")]
            proof = [f"iptables-save.txt: {text}" for text in shown[:3] or ["*nat has no rule in POSTROUTING"]]
            found.append(words.finding(f"nothing masquerades network {network.name}", *proof))
    return found

"""The policy of FORWARD drops what no rule accepts, and Docker's rules are not there to accept it."""

from analyzer.diagnose.host.subject import Words, bridges, outgoing
from analyzer.model import Finding, HostState, Severity
from analyzer.model.rules import Verdict

WORDS = Words(
    "forward-policy-drop",
    Severity.ERROR,
    "A packet from a container to the outside meets no rule of the chain FORWARD that accepts it, so the policy DROP "
    "decides. Usually a firewall was reloaded after Docker had added its rules, and took them away.",
    "systemctl restart docker, so that it adds its rules again; let the firewall keep the chains DOCKER* and "
    "DOCKER-USER.",
)


def check(host: HostState) -> list[Finding]:
    """Run a packet out of each bridge network."""
    found: list[Finding] = []
    for network, bridge in bridges(host):
        result = outgoing(host, network, bridge)
        if result is None or result.verdict is not Verdict.DROP or result.policy is None:
            continue
        table, chain = result.policy
        if not table.native and (table.name, chain) == ("filter", "FORWARD"):
            title = f"FORWARD drops all that network {network.name} sends"
            found.append(WORDS.finding(title, f"{table.dump}: *filter :FORWARD DROP"))
    return found

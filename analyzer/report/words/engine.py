"""Sentences that speak of Docker, in the words of another engine's host: its name, its commands, its settings.

Findings are worded once, for Docker; on a host that has Podman alone, what its users type and read takes their place.
"""

import re
from dataclasses import replace

from analyzer.model import Finding
from analyzer.model.engine import CRI, DOCKER, NERDCTL, NO_ENGINE, PODMAN

QUOTED = re.compile(r"(“[^”]*”)")
"""What is cited, as rules are, stays as it is."""
PID = r"""nsenter -t "\$\(docker inspect -f '\{\{\.State\.Pid\}\}' (\S+)\)" -n"""
"""What enters a container's network namespace."""
POD_PID = "crictl inspectp -o go-template --template '{{.info.pid}}'"
_SAYS = {
    PODMAN: (
        (r'"mtu": \d+ in /etc/docker/daemon\.json, or for one network docker network create -o \S+mtu=',
         "podman network create -o mtu="),
        (r' \("bip" in daemon\.json for the default bridge, docker ', " (docker "),
        (r",? since Docker \d+(?:\.\d+)?", ""),
        (r"docker service update --force, or ", ""),
        (r"systemctl restart docker", "podman network reload --all"),
        (r"restarting Docker", "podman network reload --all"),
        (r"restart Docker", "podman network reload --all"),
        (r"\bdocker (network|run|restart|rm|ps|inspect|exec|logs|start|stop|port)\b", r"podman \1"),
        (r"\bDocker\b(?! \d)", "Podman"),
    ),
    NERDCTL: ((r"\bdocker (network|run|restart|rm|ps|inspect|exec|logs|start|stop|port|compose)\b", r"nerdctl \1"),),
    CRI: (
        (PID, rf'nsenter -t "$({POD_PID} $(crictl pods -q --name \1))" -n'),
        (r"\bdocker (exec|logs)\b", r"kubectl \1"),
        (r"\bdocker (restart|start)\b", "kubectl delete pod"),  # whoever manages it makes a new one
        (r"\bdocker (ps|inspect|stats|top)\b", r"crictl \1"),
        (r"\bDocker\b(?! \d)", "the container runtime"),
    ),
    NO_ENGINE: (
        (r"Docker adds the rule itself when it starts \(systemctl restart docker\)(\. By|; by) hand",
         r"Whatever makes this host's rules should have it\1 hand"),
        (r"Docker makes rules for IPv6 where .*\. By hand", "Whatever makes this host's rules should have it. By hand"),
        (r"Docker gave it to \S+: give the other one another address, or take it away there",
         "Give one another address"),
        (r'"mtu" in daemon\.json for the default bridge', "the MTU of its bridge and of what is on it"),
        (r", as dockerd does with \"userland-proxy\": false,", ""),
        (r"; restarting Docker makes its own rules anew", ""),
        (r"systemctl restart docker, so that it adds its rules again \([^)]*\); let the firewall keep .*DOCKER-USER",
         "Let what makes this host's rules accept what comes in by the network's bridge, and answers to it"),
        (r", docker network inspect", ""),
        (r"(: )?docker run --dns(-option)?( [^,;)]+)?,( or)? dns in (compose or daemon\.json|compose|daemon\.json)",
         " by its resolv.conf"),
        (r"docker run --dns(-option)? [\d.:a-f]+", "its resolv.conf"),
        (r"\(docker logs says why (\w+ \w+ \w+ \w+)\)", r"(its log says why \1)"),
        (r"docker logs (\S+) says", r"the log of \1 says"),
        (r"\bdocker (restart|start) (\S+)", r"\1 \2"),
        (r"\bdocker exec (\S+) ", r"in \1: "),
        (r"\bdocker logs, docker stats, docker top\b", "its log, top"),
        (PID, r"ip netns exec \1"),
    ),
}  # fmt: skip


def in_words_of(engine: str, finding: Finding) -> Finding:
    """Say a finding as users of *engine* would."""
    if engine == DOCKER:
        return finding
    return replace(
        finding,
        title=_said(engine, finding.title),
        cause=_said(engine, finding.cause),
        detail=_said(engine, finding.detail),
        explanation=_said(engine, finding.explanation),
        remedy=_said(engine, finding.remedy),
        commands=tuple(_said(engine, one) for one in finding.commands),
    )


def _said(engine: str, text: str) -> str:
    parts = QUOTED.split(text)
    for place in range(0, len(parts), 2):
        for pattern, instead in _SAYS[engine]:
            parts[place] = re.sub(pattern, instead, parts[place])
    return "".join(parts)

"""Sentences that speak of Docker, in the words of another engine's host: its name, its commands, its settings.

Findings are worded once, for Docker; on a host that has Podman alone, what its users type and read takes their place.
"""

import re
from dataclasses import replace

from analyzer.model import Finding
from analyzer.model.engine import CRI, DOCKER, NERDCTL, PODMAN

QUOTED = re.compile(r"(“[^”]*”)")
"""What is cited, as rules are, stays as it is."""
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
        (r"\bdocker (exec|logs)\b", r"kubectl \1"),
        (r"\bdocker (restart|start)\b", "kubectl delete pod"),  # whoever manages it makes a new one
        (r"\bdocker (ps|inspect|stats|top)\b", r"crictl \1"),
        (r"\bDocker\b(?! \d)", "the container runtime"),
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

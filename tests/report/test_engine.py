"""What is said on hosts of other engines: their commands and names; what is cited stays."""

import pytest

from analyzer.model import Basis, Finding, Severity
from analyzer.model.engine import CRI, DOCKER, NERDCTL, NO_ENGINE, PODMAN
from analyzer.report.words.engine import in_words_of

MTU = '"mtu": 1400 in /etc/docker/daemon.json, or for one network docker network create -o com.docker.x.mtu=1400.'


@pytest.mark.parametrize(
    ("said", "there"),
    [
        ("docker network connect NET web", "podman network connect NET web"),
        ("Docker's own rules; Docker adds them", "Podman's own rules; Podman adds them"),
        ("the rule “-A DOCKER -j X Docker's” of Docker", "the rule “-A DOCKER -j X Docker's” of Podman"),
        ("Docker adds it (systemctl restart docker).", "Podman adds it (podman network reload --all)."),
        ("docker network connect --gw-priority 1, since Docker 28", "podman network connect --gw-priority 1"),
        (MTU, "podman network create -o mtu=1400."),
        ("docker0 and dockerd and a container called docker", "docker0 and dockerd and a container called docker"),
    ],
)  # fmt: skip
def test_what_is_said_with_podman(said: str, there: str) -> None:
    """Everywhere in a finding; with Docker nothing changes."""
    finding = Finding("x", Severity.ERROR, Basis.STATED, {}, remedy=said, title=said, cause=said, detail=said,
                      explanation=said, commands=(said,))  # fmt: skip
    found = in_words_of(PODMAN, finding)

    assert {found.remedy, found.title, found.cause, found.detail, found.explanation, *found.commands} == {there}
    assert in_words_of(DOCKER, finding) == finding


ENTERS = """nsenter -t "$(docker inspect -f '{{.State.Pid}}' web)" -n ip route"""


PID_OF = "crictl inspectp -o go-template --template '{{.info.pid}}' $(crictl pods -q --name web)"
POD = f'nsenter -t "$({PID_OF})" -n ip route'


@pytest.mark.parametrize(
    ("engine", "said", "there"),
    [
        (NERDCTL, "docker logs web says why", "nerdctl logs web says why"),
        (CRI, "docker logs web; docker restart web", "kubectl logs web; kubectl delete pod web"),
        (CRI, "Docker adds it", "the container runtime adds it"),
        (CRI, ENTERS, POD),
        (NO_ENGINE, "Docker adds the rule itself when it starts (systemctl restart docker). By hand; flows",
         "Whatever makes this host's rules should have it. By hand; flows"),
        (NO_ENGINE, "Docker adds the rule itself when it starts (systemctl restart docker); by hand:",
         "Whatever makes this host's rules should have it; by hand:"),
        (NO_ENGINE, "Delete the rule; restarting Docker makes its own rules anew.", "Delete the rule."),
        (NO_ENGINE, "ip neigh, docker network inspect.", "ip neigh."),
        (NO_ENGINE, "Let it ask 8.8.8.8: docker run --dns 8.8.8.8, dns in compose or daemon.json.",
         "Let it ask 8.8.8.8 by its resolv.conf."),
        (NO_ENGINE, "docker restart web starts it", "restart web starts it"),
        (NO_ENGINE, "docker exec web ss -ltn", "in web: ss -ltn"),
        (NO_ENGINE, "Docker gave it to web: give the other one another address, or take it away there.",
         "Give one another address."),
        (NO_ENGINE, ENTERS, "ip netns exec web ip route"),
    ],
)  # fmt: skip
def test_what_is_said_elsewhere(engine: str, said: str, there: str) -> None:
    """Without an engine nothing of Docker's is left that could be typed."""
    assert in_words_of(engine, Finding("x", Severity.ERROR, Basis.STATED, {}, remedy=said)).remedy == there

"""What is said on hosts of other engines: their commands and names; what is cited stays."""

import pytest

from analyzer.model import Basis, Finding, Severity
from analyzer.model.engine import DOCKER, PODMAN
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

"""Hosts of other kinds, as recorded: each tells what is wrong, in its users' words, and nothing else."""

import pytest

from analyzer import Trace
from analyzer.model import Basis, Connection, Severity
from analyzer.model.rules import masquerades
from tests.explain import test_hosts_at_home as at_home
from tests.explain import test_hosts_with_guests as with_guests
from tests.explain import test_hosts_with_more as with_more
from tests.explain import test_hosts_with_more_ways as more_ways
from tests.explain.hosts import RECORDED, trace_of
from tests.explain.test_hosts_without_engine import FAULTS, HEALTHY
from tests.explain.test_user_mode import USER_MODE

KINDS = ("docker-28", "docker-29", "kubernetes", "podman")
STORIES = ("healthy", "across", "direct", "dropped")


def test_all_of_them() -> None:
    """No recording is forgotten here."""
    found = {path.name.removesuffix(".tar.zst") for path in RECORDED.glob("*.tar.zst")}

    assert found == {f"{kind}.{story}" for kind in KINDS for story in STORIES} | {
        *HEALTHY, *FAULTS, *USER_MODE, *with_more.HEALTHY, *with_more.FAULTS,
        *more_ways.HEALTHY, *more_ways.FAULTS, *at_home.HEALTHY, *at_home.FAULTS,
        *with_guests.HEALTHY, *with_guests.FAULTS,
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_one_is_accused_of_nothing(kind: str) -> None:
    """A ping outside, and a published port from outside: every packet went its way."""
    trace = trace_of(f"{kind}.healthy")
    connections = [one for one in _connections(trace) if one.protocol in ("icmp", "tcp")]

    assert [finding for finding in trace.findings if finding.severity is not Severity.INFO] == []
    assert [finding.check for finding in trace.findings] == (["client-address-hidden"] if kind == "kubernetes" else [])
    assert not {"dropped", "lost", "rejected"} & set(trace.dispositions())
    assert {change.kind for one in connections for change in one.nat} == {"SNAT", "DNAT"}
    assert all(change.rule is not None and one.basis is Basis.STATED for one in connections for change in one.nat)


def _connections(trace: Trace) -> list[Connection]:
    return [trace.connection(number) for number in range(len(trace.connections))]


def test_a_node_says_what_kubernetes_does() -> None:
    """The mask of a node port, and the setting of the service that does without; where dice decide, what was seen."""
    trace = trace_of("kubernetes.healthy")
    hidden = next(finding for finding in trace.findings if finding.check == "client-address-hidden")
    rules = [change.rule or "" for one in _connections(trace) for change in one.nat if change.kind == "DNAT"]

    assert "externalTrafficPolicy: Local" in hidden.remedy
    assert len(rules) == 1
    assert all(rule.startswith("-A KUBE-SEP-") for rule in rules)


def test_pods_have_names() -> None:
    """Those that were asked for, and whose MAC is at home at a port of their bridge."""
    containers = {point.name: point.container for point in trace_of("kubernetes.across").points if point.container}

    assert sorted(containers.values()) == ["app", "web"]
    assert containers["veth-app"] == "app"
    assert {one.network for one in trace_of("kubernetes.across").hosts.everywhere.containers} == {"pods"}


def test_dnat_to_a_neighbour_on_the_bridge_is_no_loss() -> None:
    """The bridge passes it from port to port, where the other port is not captured."""
    trace = trace_of("kubernetes.across")
    dnat = [change.rule or "" for one in _connections(trace) for change in one.nat if change.kind == "DNAT"]

    assert trace.findings == ()
    assert "lost" not in trace.dispositions()
    assert [rule.startswith("-A KUBE-SEP-") for rule in dnat] == [True]


@pytest.mark.parametrize("kind", ["docker-28", "docker-29"])
def test_a_published_port_of_another_network(kind: str) -> None:
    """Only the client is captured: what the bridge shows between DNAT and SNAT is no contradiction, and no loss."""
    trace = trace_of(f"{kind}.across")
    connection = next(one for one in _connections(trace) if one.protocol == "tcp")

    assert trace.findings == ()
    assert (str(connection.reply), connection.basis) == ("172.17.0.3:80 → 172.17.0.1:" + str(connection.reply.dport),
                                                         Basis.STATED)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "check", "cause", "remedy"),
    [
        ("docker-28.direct", "network-isolation", "they share no network, and Docker keeps networks apart",
         "docker network create NET"),
        ("docker-29.direct", "network-isolation", "they share no network, and Docker keeps networks apart",
         "docker network create NET"),
        ("podman.direct", "network-isolation", "they share no network, and Podman keeps networks apart",
         "podman network connect webnet app"),
        ("podman.across", "network-isolation", "they share no network, and Podman keeps networks apart",
         "podman network connect"),
        ("docker-28.dropped", "filtered-by-rule", "rule 1 of DOCKER-USER drops it",
         "iptables -t filter -I DOCKER-USER -s 172.17.0.2 -d 8.8.8.8 -p icmp -j RETURN"),
        ("docker-29.dropped", "filtered-by-rule", "rule 1 of forward drops it",
         "nft insert rule ip own forward ip saddr 172.17.0.2 ip daddr 8.8.8.8 accept"),
        ("kubernetes.direct", "connection-refused", "web refuses, it listens on 80/tcp (python3)",
         "If 80/tcp was meant, ask for that"),
        ("kubernetes.dropped", "filtered-by-rule", "rule 1 of FORWARD drops it",
         "iptables -t filter -I FORWARD -s 10.244.1.2 -d 8.8.8.8 -p icmp -j ACCEPT"),
        ("podman.dropped", "filtered-by-rule", "rule 1 of FORWARD drops it",
         "nft insert rule inet netavark FORWARD ip saddr 10.88.0."),
    ],
)  # fmt: skip
def test_what_is_wrong(name: str, check: str, cause: str, remedy: str) -> None:
    """The one thing that is, and what helps there."""
    (finding,) = trace_of(name).findings
    told = f"{finding.title} {finding.explanation} {finding.remedy} {' '.join(finding.commands)}"

    assert (finding.check, finding.severity, finding.cause) == (check, Severity.ERROR, cause)
    assert remedy in told
    if name.startswith("podman"):
        assert "docker" not in told.lower()


@pytest.mark.parametrize("kind", KINDS)
def test_masquerade_is_called_so(kind: str) -> None:
    """Whatever the program is that made the rule."""
    changes = [change for one in _connections(trace_of(f"{kind}.healthy")) for change in one.nat]

    assert {(change.kind, masquerades(change.rule)) for change in changes} == {("SNAT", True), ("DNAT", False)}

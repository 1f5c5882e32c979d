"""Pods, as ``crictl`` tells of them."""

import json
from typing import Any

import pytest

from analyzer.errors import ToolError
from analyzer.record.cri import CRI
from analyzer.record.inspected import public
from tests.record.host import Host

LIST = "crictl pods -q --no-trunc -s ready"
WEB, DNS, OTHER = "a1" * 32, "b2" * 32, "a1ff" + "0" * 60


def _pod(identity: str, name: str, space: str = "default", **labels: str) -> dict[str, Any]:
    return {
        "status": {
            "id": identity, "metadata": {"attempt": 0, "name": name, "namespace": space, "uid": "u"}, "labels": labels,
            "state": "SANDBOX_READY", "network": {"additionalIps": [], "ip": "10.244.1.3"},
            "annotations": {"token": "secret"},
        },
        "info": {"pid": 7, "config": {"x": "secret"}, "runtimeSpec": {"process": {"env": ["TOKEN=secret"]}}},
    }  # fmt: skip


PODS = [_pod(WEB, "web-7d4f", app="web"), _pod(DNS, "dns", "kube-system"), _pod(OTHER, "dns")]
NODE = Host({
    LIST: "\n".join((WEB, DNS, OTHER)),
    f"crictl inspectp -o json {WEB} {DNS} {OTHER}": json.dumps(PODS),
    "crictl ps -o json": json.dumps({"containers": [
        {"id": "c3" * 32, "podSandboxId": WEB, "metadata": {"name": "nginx"}},
    ]}),
    "crictl version": "Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  1.7.24\nRuntimeApiVersion:  v1\n",
})  # fmt: skip


def test_which_pods_run() -> None:
    """Names that several namespaces have, are told apart by them."""
    assert CRI.running(NODE) == ["dns.default", "dns.kube-system", "web-7d4f"]
    assert CRI.running(NODE, ("default", "web")) == ["web-7d4f"]
    assert CRI.running(NODE, ("kube-system", "dns")) == ["dns.kube-system"]
    assert CRI.running(NODE, ("kube-system", "web")) == []
    assert CRI.running(NODE, network="pods") == []
    assert CRI.running(Host({LIST: ""})) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("web-7d4f", "web-7d4f"), ("dns.kube-system", "dns.kube-system"), (DNS, "dns.kube-system"),
        ("b2b2", "dns.kube-system"), ("a1ff", "dns.default"), ("nginx", "web-7d4f"), ("c3c3c3", "web-7d4f"),
        ("dns", None), ("a1", None), ("b2b", None),
    ],
)  # fmt: skip
def test_a_pod(name: str, found: str | None) -> None:
    """By its name, the beginning of its id, or a container in it; what may be several is none."""
    one = CRI.container(NODE, name)

    assert (None if one is None else one["Name"]) == found
    assert one is None or one["State"] == {"Status": "running", "Running": True, "Pid": 7}


@pytest.mark.parametrize("told", ["what", "[{}]", '[{"status": 7}]'])
def test_what_cannot_be_read(told: str) -> None:
    """Is a mistake of the tool's, not of hoptrace."""
    with pytest.raises(ToolError, match="crictl: cannot read what it tells of pods"):
        CRI.container(Host({LIST: WEB, f"crictl inspectp -o json {WEB}": told}), "web")


def test_the_runtime_and_its_version() -> None:
    """Not crictl's own."""
    assert CRI.version(NODE.answers["crictl version"]) == "containerd 1.7.24"
    assert CRI.problem(NODE) is None


def test_what_may_be_secret_is_left_out() -> None:
    """Annotations, the config, and the spec with its environment; an array comes out, whatever went in."""
    one, several = (json.loads(public(text, "crictl-inspect.json")) for text in (json.dumps(PODS[0]), json.dumps(PODS)))

    assert "secret" not in json.dumps([one, several])
    assert one == several[:1]
    assert one[0]["info"] == {"pid": 7}
    assert one[0]["status"]["labels"] == {"app": "web"}

"""Pods, as ``crictl inspectp`` prints them."""

from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model.engine import CRI
from analyzer.state.cri import documents, parse_pods

A_MAC = 0x0242_AC11_0002


def _pod(name: str, space: str = "default", *, network: str = "POD", ready: bool = True, cni: bool = True) -> Any:
    interfaces = {
        "lo": {"IPConfigs": [{"IP": "127.0.0.1"}], "Mac": "00:00:00:00:00:00", "Sandbox": "/run/netns/x"},
        "cni0": {"IPConfigs": None, "Mac": "ae:87:cf:80:9a:2b", "Sandbox": ""},
        "eth0": {"IPConfigs": [{"IP": "10.244.1.3", "Gateway": "10.244.1.1"}, {"IP": "fd00::3", "Gateway": "fd00::1"}],
                 "Mac": "02:42:ac:11:00:02", "Sandbox": "/run/netns/x"},
    }  # fmt: skip
    return {
        "status": {
            "id": name, "metadata": {"name": name, "namespace": space}, "createdAt": "2026-11-27T00:00:00Z",
            "state": "SANDBOX_READY" if ready else "SANDBOX_NOTREADY",
            "network": {"ip": "10.244.1.3", "additionalIps": [{"ip": "fd00::3"}]},
            "linux": {"namespaces": {"options": {"network": network}}},
        },
        "info": {"pid": 7, **({"cniResult": {"Interfaces": interfaces}} if cni else {})},
    }  # fmt: skip


def test_a_pod_is_a_container() -> None:
    """With its addresses, its MAC and its gateways, which containerd tells."""
    (one,) = parse_pods([_pod("web")])

    assert (one.name, one.network, one.mac, one.engine) == ("web", "pods", A_MAC, CRI)
    assert one.addresses == (ip_address("10.244.1.3"), ip_address("fd00::3"))
    assert one.gateways == (ip_address("10.244.1.1"), ip_address("fd00::1"))
    assert (one.status.text, one.created) == ("running", "2026-11-27T00:00:00Z")


def test_what_a_runtime_does_not_tell() -> None:
    """CRI-O tells no MAC; one that ended does not run; one on the host's network has no addresses of its own."""
    untold, over, on_host = parse_pods([_pod("a", cni=False), _pod("b", ready=False), _pod("c", network="NODE")])

    assert (untold.mac, untold.addresses[0], untold.gateways) == (None, ip_address("10.244.1.3"), ())
    assert not over.status.answers
    assert (on_host.mode, on_host.network, on_host.addresses, on_host.mac) == ("host", "host", (), None)


def test_names_that_several_namespaces_have() -> None:
    """Are told apart by them, as Kubernetes' DNS does."""
    assert [one.name for one in parse_pods([_pod("a"), _pod("a", "other"), _pod("b")])] == ["a.default", "a.other", "b"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", [{}]), ("[{}]", [{}]), ('{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]), ("[{}, 7]", [{}, 7]), ("", []),
        (" \n", []),
    ],
)  # fmt: skip
def test_however_many_documents_there_are(text: str, found: list[object]) -> None:
    """An object, an array, or one after the other."""
    assert documents(text) == found

"""Whether IPv4 is forwarded."""

from dataclasses import replace

import pytest

from tests.explain.host.state import HOST, asked, network

check = asked("forwarding-disabled")

NAME = "net.ipv4.ip_forward"


@pytest.mark.parametrize(("value", "told"), [("0", True), ("1", False), (None, False), ("2", False)])
def test_off_is_told(value: str | None, told: bool) -> None:
    """Only where the dump has it as 0."""
    found = check(replace(HOST, sysctls={NAME: value} if value is not None else {}))

    assert [(f.detail, f.proof) for f in found] == [("IPv4 forwarding is off", (f"sysctl.txt: {NAME} = 0",))] * told


def test_without_a_bridge_network_it_is_nobodys_business() -> None:
    """A host without networks that lead out need not forward."""
    assert check(replace(HOST, sysctls={NAME: "0"}, networks=())) == []
    assert check(replace(HOST, sysctls={NAME: "0"}, networks=(network("a", internal=True),))) == []


@pytest.mark.parametrize("whole", ["1", None])
def test_of_one_bridge(whole: str | None) -> None:
    """Only of the one by which a network's packets come in; one that nobody uses may be off."""
    name = "net.ipv4.conf.docker0.forwarding"
    off = {name: "0", "net.ipv4.conf.br-x.forwarding": "0"} | ({NAME: whole} if whole else {})
    (found,) = check(replace(HOST, sysctls=off))

    assert found.detail.startswith("IPv4 forwarding is off on docker0, network ")
    assert found.proof == (f"sysctl.txt: {name} = 0",)
    assert check(replace(HOST, sysctls=off, networks=())) == []

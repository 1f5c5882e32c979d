"""Whether bridges ask iptables."""

from dataclasses import replace

import pytest

from analyzer.model import Severity
from tests.explain.host.state import HOST, asked

check = asked("bridge-netfilter-off")

NAME = "net.bridge.bridge-nf-call-iptables"


@pytest.mark.parametrize(("value", "told"), [("0", True), ("1", False), (None, False)])
def test_off_is_told(value: str | None, told: bool) -> None:
    """Only where the dump has it as 0: without the module, nothing is there to read."""
    found = check(replace(HOST, sysctls={NAME: value} if value is not None else {}))

    assert [(f.severity, f.detail, f.proof) for f in found] == [
        (Severity.INFO, "bridges do not ask iptables", (f"sysctl.txt: {NAME} = 0",))
    ] * told


def test_without_a_bridge_network_it_is_nobodys_business() -> None:
    """Nothing is bridged there."""
    assert check(replace(HOST, sysctls={NAME: "0"}, networks=())) == []

"""What IPsec's policies drop: they block it, or want keys for it that nobody has."""

from pathlib import Path

import pytest

from analyzer.model import Finding, Severity
from tests.build import tcp, udp
from tests.explain.scene import SERVER, Scene
from tests.explain.state import dumps

HYPOTHESIS = "ipsec-drops"
TUNNEL = "\n\ttmpl src 192.168.1.100 dst 100.64.0.2\n\t\tproto esp reqid 0 mode tunnel"
TRANSPORT = "\n\ttmpl src 0.0.0.0 dst 0.0.0.0\n\t\tproto esp reqid 0 mode transport"


def _policy(rest: str = "", *, dst: str = "8.8.0.0/16", direction: str = "out", selects: str = "",
            priority: int = 5) -> str:  # fmt: skip
    return f"src 172.17.0.0/16 dst {dst}{selects}\n\tdir {direction} priority {priority}{rest}\n"


def _keys(dst: str, protocol: str = "esp", spi: str = "0x00000007") -> str:
    return f"src 192.168.1.100 dst {dst}\n\tproto {protocol} spi {spi} reqid 0 mode tunnel\n"


BLOCK = " action block"


def _found(folder: Path, policies: str, keys: str = "", until: str = "docker0") -> list[Finding]:
    """Let c2 ask a server in vain, while another one answers."""
    scene = Scene(folder, dumps=dumps() | {"xfrm-policy.txt": policies, "xfrm-state.txt": keys})
    for ms in (0, 9000):
        scene.out(ms, 17, udp(1, 2, b"x"), dst="9.9.9.9")
        scene.back(ms + 5, 17, udp(2, 1, b"y"), src="9.9.9.9")
    for number in range(3):
        scene.out(1000 + 1000 * number, 6, tcp(40_000, 80, 1, 0, 2), until=until)
    return scene.findings(HYPOTHESIS)


@pytest.mark.parametrize(
    ("policies", "keys", "told"),
    [
        (_policy(BLOCK), "", "an IPsec policy blocks them"),
        (_policy(TUNNEL), "", "an IPsec policy wants them encrypted, and there are no keys"),
        (_policy(TUNNEL), _keys("100.64.0.2"), ""),
        (_policy(TUNNEL), _keys("100.64.0.3"), "there are no keys"),
        (_policy(TUNNEL), _keys("100.64.0.2", "ah"), "there are no keys"),
        (_policy(TUNNEL), _keys("100.64.0.2", spi="0x00000000"), "there are no keys"),
        (_policy(TRANSPORT), _keys(SERVER), ""),
        (_policy(TRANSPORT), _keys("100.64.0.2"), "there are no keys"),
        (_policy(), "", ""),
        (_policy(BLOCK, dst="9.0.0.0/8"), "", ""),
        (_policy(BLOCK, direction="in"), "", ""),
        (_policy(BLOCK, selects=" proto udp"), "", ""),
        (_policy(BLOCK) + _policy(priority=4), "", ""),
        (_policy(BLOCK) + _policy(priority=6), "", "blocks them"),
        ("", "", ""),
    ],
    ids=["blocked", "no-keys", "keys", "of-another", "of-another-protocol", "awaited", "transport", "transport-none",
         "passed", "another-network", "inwards", "asks-for-more", "passed-before", "passed-after", "none"],
)  # fmt: skip
def test_the_policy_that_counts_decides(tmp_path: Path, policies: str, keys: str, told: str) -> None:
    """The one with the least priority; where it asks for more than addresses, that is not decidable."""
    found = _found(tmp_path, policies, keys)

    assert len(found) == bool(told)
    assert all(told in one.detail and one.severity is Severity.ERROR for one in found)


def test_what_left_was_not_dropped_here(tmp_path: Path) -> None:
    """It got to the uplink as it was."""
    everybody = _policy(BLOCK).replace("172.17.0.0/16", "0.0.0.0/0")

    assert len(_found(tmp_path, everybody)) == 1
    assert _found(tmp_path, everybody, until="wlan0") == []

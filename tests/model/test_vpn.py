"""When a WireGuard peer has no keys."""

import pytest

from analyzer.model import Peer


@pytest.mark.parametrize(("handshake_s", "silent"), [(None, True), (0, False), (180, False), (181, True)])
def test_keys_are_good_for_three_minutes(handshake_s: int | None, silent: bool) -> None:
    """Without a handshake there are none."""
    assert Peer("wg0", "k=", None, (), handshake_s).silent is silent

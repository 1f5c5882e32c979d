"""What is said of the host's own tunnels."""

import pytest

from analyzer.report.words.sentence import Facts, Verb
from analyzer.report.words.vpn import ipsec, wireguard

SILENT: Facts = {"dev": "wg0", "packets": 3, "age_s": -1, "endpoint": "1.2.3.4", "port": 51820}
NARROW: Facts = {"dev": "wg0", "packets": 3, "address": "10.78.0.1", "route": "10.78.0.0/24 dev wg0"}
POLICY: Facts = {"policy": "src a dst b dir out", "last": "docker0", "packets": 3, "protocol": "ESP", "end": "1.2.3.4"}


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "wg0's peer 1.2.3.4:51820 never shook hands", "UDP port 51820 is let in"),
        ({"age_s": 1_234}, "wg0's peer 1.2.3.4:51820 shook hands 1,234 s ago for the last time", "UDP port 51820"),
        ({"endpoint": ""}, "wg0's peer for it never shook hands, and no endpoint of it is known", "set Endpoint here"),
    ],
)
def test_a_peer_that_is_silent(facts: Facts, cause: str, remedy: str) -> None:
    """When it spoke last, and where it should be."""
    words = wireguard({**SILENT, **facts})

    assert words.cause.startswith(cause)
    assert words.verb is Verb.ANSWER
    assert remedy in str(words.remedy)


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        ([], "wg0 takes no address at all."),
        (["a", "b", "c"], "wg0 takes a, b, c."),
        (["a", "b", "c", "d", "e"], "wg0 takes a, b, c and 2 more."),
    ],
)
def test_what_the_peers_take(allowed: list[str], said: str) -> None:
    """Few of many addresses are named."""
    words = wireguard({**NARROW, "allowed": allowed})

    assert words.cause == "none of wg0's peers has 10.78.0.1 among its allowed IPs"
    assert said in words.explanation


@pytest.mark.parametrize(
    ("blocks", "cause", "remedy"),
    [(True, "the IPsec policy “src a dst b dir out” blocks it", "passthrough"),
     (False, "the IPsec policy “src a dst b dir out” wants ESP to 1.2.3.4, for which there are no keys",
      "Bring the tunnel to 1.2.3.4 up")],
    ids=["blocks", "no-keys"],
)  # fmt: skip
def test_a_policy_that_drops(blocks: bool, cause: str, remedy: str) -> None:
    """It means to, or it waits for keys."""
    words = ipsec({**POLICY, "blocks": blocks})

    assert words.cause == cause
    assert remedy in str(words.remedy)

"""MACs that two containers have."""

from ipaddress import ip_address

import pytest

from analyzer.model import Container, HostState
from tests.explain.host.state import asked

check = asked("duplicate-address")

MAC = 0x0242AC110002


def _container(name: str, network: str, mac: int | None) -> Container:
    return Container(name, network, mac, (ip_address("172.17.0.2"),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ends", "titles"),
    [
        ([("a", "n", MAC), ("b", "n", MAC)], ["a and b have one MAC in network n"]),
        ([("a", "n", MAC), ("b", "n", MAC), ("c", "n", MAC)], ["a and b and c have one MAC in network n"]),
        ([("a", "n", MAC), ("b", "m", MAC)], []),
        ([("a", "n", MAC), ("b", "n", MAC + 1)], []),
        ([("a", "n", None), ("b", "n", None)], []),
        ([("a", "n", MAC)], []),
        (
            [("a", "n", None), ("b", "n", MAC), ("c", "m", MAC), ("d", "m", MAC), ("e", "n", MAC)],
            ["b and e have one MAC in network n", "c and d have one MAC in network m"],
        ),
    ],
)
def test_on_one_network(ends: list[tuple[str, str, int | None]], titles: list[str]) -> None:
    """Two networks have nothing to do with each other, and an unknown MAC is nobody's."""
    found = check(HostState(containers=tuple(_container(*end) for end in ends)))

    assert [finding.detail for finding in found] == titles


def test_each_line_is_shown() -> None:
    """Which containers have it."""
    (finding,) = check(HostState(containers=(_container("a", "n", MAC), _container("b", "n", MAC))))

    assert finding.check == "duplicate-address"
    assert finding.proof == tuple(f"docker-inspect.json: {name} MacAddress 02:42:ac:11:00:02" for name in "ab")

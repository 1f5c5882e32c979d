"""Two MTUs of one veth, or of a network and the uplink: which end is to blame, and what makes it worth telling."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.explain.hypotheses.mtu_mismatch import causes
from analyzer.explain.hypothesis import Cause
from analyzer.model import Basis, Severity
from tests.build import C1, tcp
from tests.explain.host.state import HOST as STATE
from tests.explain.host.state import asked, link, network, route
from tests.explain.scene import Scene
from tests.explain.state import dumps, links

PROOF_INSIDE = "containers/c2/ip-addr.json: eth0 tx dropped went up by 4"
PROOF_OUTSIDE = "ip-addr.json: veth7 tx dropped went up by 4"


def _veth(name: str, index: int, peer: int, mtu: int | None, dropped: int, kind: str) -> dict[str, object]:
    """Return one end of a veth, as ip -s -j addr prints it."""
    stats = {"rx": {"dropped": 0}, "tx": {"dropped": dropped}}
    end = {"ifindex": index, "ifname": name, "link_index": peer, "stats64": stats, "linkinfo": {"info_kind": kind}}
    return end | ({} if mtu is None else {"mtu": mtu}) | ({"address": C1} if name == "eth0" else {})


def _causes(
    folder: Path, inner: int | None, outer: int | None, *, inside: int = 0, outside: int = 0,
    kinds: tuple[str, str] = ("veth", "veth"), peer: int = 7,
) -> list[Cause]:  # fmt: skip
    """Record both ends of a container's veth; each end's counter of drops went up by so much."""
    scene = Scene(folder, dumps=dumps())
    for place, counted in (("before/", 0), ("", 1)):
        ends = (
            _veth("eth0", 2, peer, inner, 3 + counted * inside, kinds[0]),
            _veth("veth7", 7, 2, outer, 5 + counted * outside, kinds[1]),
        )
        scene.dumps[f"{place}containers/c2/ip-addr.json"] = [ends[0]]
        scene.dumps[f"{place}ip-addr.json"] = [*links(), ends[1]]
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2))
    return list(causes(scene.case()))


@pytest.mark.parametrize(
    ("inner", "outer", "counted", "proof"),
    [
        (1500, 1400, {"inside": 4}, PROOF_INSIDE),
        (1400, 1500, {"outside": 4}, PROOF_OUTSIDE),
        (1500, 1400, {"outside": 4}, None),
        (1400, 1500, {"inside": 4}, None),
        (1500, 1500, {"inside": 4, "outside": 4}, None),
        (1500, 1400, {}, None),
        (1500, None, {"inside": 4, "outside": 4}, None),
        (None, 1400, {"inside": 4, "outside": 4}, None),
    ],
    ids=["inner-sends-more", "outer-sends-more", "other-end-drops", "other-end-drops-too", "equal", "stood-still",
         "outer-unknown", "inner-unknown"],
)  # fmt: skip
def test_the_end_that_sends_more_has_to_drop(
    tmp_path: Path, inner: int | None, outer: int | None, counted: dict[str, int], proof: str | None
) -> None:
    """Its own counter says that packets were too long for the other end; drops of the other end are none of that."""
    found = _causes(tmp_path, inner, outer, **counted)

    assert [cause.told([]).proof[2] for cause in found] == [proof] * (proof is not None)


def test_what_is_told_of_a_veth(tmp_path: Path) -> None:
    """An error that a counter supports, with both ends' lines, by container and interface."""
    (cause,) = _causes(tmp_path, 1500, 1400, inside=4)
    told = cause.told([])

    assert (cause.basis, cause.counted, cause.key) == (Basis.STATED, True, ("", "c2", "eth0"))
    assert told.severity is Severity.ERROR
    assert told.facts["lost"] == 4
    assert told.proof[:2] == ("containers/c2/ip-addr.json: eth0 mtu 1500", "ip-addr.json: veth7 mtu 1400")


@pytest.mark.parametrize(
    ("inner", "outer", "command"),
    [(1500, 1400, "ip link set veth7 mtu 1500"), (1400, 1500, "nsenter -t ")],
    ids=["outer", "inner"],
)
def test_the_end_that_takes_less_is_widened(tmp_path: Path, inner: int, outer: int, command: str) -> None:
    """On the host, or in the container's namespace."""
    (cause,) = _causes(tmp_path, inner, outer, inside=4, outside=4)
    (found,) = cause.told([]).facts["commands"]  # type: ignore[misc, union-attr]

    assert found.startswith(command)
    assert found.endswith(" mtu 1500")


@pytest.mark.parametrize(
    "fields",
    [{"kinds": ("macvlan", "veth")}, {"kinds": ("veth", "dummy")}, {"peer": 99}],
    ids=["no-veth-inside", "no-veth-outside", "another-peer"],
)
def test_only_both_ends_of_one_veth_are_compared(tmp_path: Path, fields: dict[str, object]) -> None:
    """Whatever else has another MTU carries nothing from one to the other."""
    assert _causes(tmp_path, 1500, 1400, inside=4, **fields) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bridge", "internal", "told"), [(1501, False, True), (1500, False, False), (1501, True, False)],
    ids=["larger", "equal", "without-a-way-out"],
)  # fmt: skip
def test_a_network_that_is_larger_than_the_uplink_is_a_warning(bridge: int, internal: bool, told: bool) -> None:
    """Nothing was counted there; a network that nothing leaves fits any uplink."""
    host = replace(
        STATE, links=(link("wlan0", mtu=1500), link("docker0", kind="bridge", mtu=bridge)),
        networks=(network("bridge", "172.17.0.0/16", internal=internal),),
    )  # fmt: skip
    found = asked("mtu-mismatch")(host)

    assert [(one.severity, one.facts["mtu"], one.facts["limit"]) for one in found] == [
        (Severity.WARNING, 1501, 1500)
    ] * told  # fmt: skip


def test_it_is_compared_with_the_best_uplink() -> None:
    """The default route with the lowest metric says which one that is."""
    links_of = (link("slow0", mtu=1400), link("wlan0", mtu=1500), link("docker0", kind="bridge", mtu=1500))
    ways = [route("0.0.0.0/0", "slow0", metric=metric) for metric in (9, 0)]
    found = [
        asked("mtu-mismatch")(replace(STATE, links=links_of, routes=(way, route("0.0.0.0/0", "wlan0", metric=5))))
        for way in ways
    ]

    assert [[one.facts["uplink"] for one in told] for told in found] == [[], ["slow0"]]

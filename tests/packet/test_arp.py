"""Address resolution: who asked, who answered, how often, and which packet had to wait."""

from typing import Any

import numpy as np
import pytest

from analyzer.model import ArpExchange, ArpStep, Role
from analyzer.packet.arp import all_exchanges, by_pair, distinct, waited_for
from analyzer.packet.context import Context
from analyzer.packet.sight import look
from analyzer.schema import Layer
from tests.packet.tables import ARP, BRIDGE, ETHERNET, GATEWAY, INNER, Frame, Packet, at, context, packet, seen

S, MS = 1_000_000_000, 1_000_000
POINTS = (at(0, "veth-c1", Role.VETH), at(1, "docker0", Role.BRIDGE))
GROUP = 0xFFFF_FFFF_FFFF


def _asks(point: int, time_ns: int, **message: Any) -> Frame:
    """The container asks for the bridge's address."""
    told = {"op": 1, "asked": "172.17.0.1", "mac": INNER, "peer": "172.17.0.2", **message}
    return seen(point, time_ns, layers=ARP, eth_dst=GROUP, neighbour=told)


def _answers(point: int, time_ns: int, **message: Any) -> Frame:
    told = {"op": 2, "asked": "172.17.0.1", "mac": BRIDGE, "to_mac": INNER, "peer": "172.17.0.2", **message}
    return seen(point, time_ns, layers=ARP, eth_src=BRIDGE, eth_dst=INNER, neighbour=told)


def _exchanges(*packets: Packet) -> list[ArpExchange]:
    return all_exchanges(context(POINTS, packets))


def test_an_exchange_is_told_with_its_frames_and_times() -> None:
    """By the point's own frame numbers; it took from the question to the answer."""
    (found,) = _exchanges(packet(seen(0, 5)), packet(_asks(0, 100)), packet(_answers(0, 130)))

    assert (found.protocol, str(found.asked_ip), found.asker, str(found.asker_ip)) == (
        "arp", "172.17.0.1", INNER, "172.17.0.2",
    )  # fmt: skip
    assert (found.point, found.request_frame, found.request_ns, found.requests) == ("veth-c1", 2, 100, 1)
    assert (found.answer_mac, found.reply_frame, found.latency_ns) == (BRIDGE, 3, 30)


def test_ndp_is_told_with_whole_addresses() -> None:
    """A solicitation from :: has no asker's address."""
    layers = ETHERNET | Layer.IPV6 | Layer.ICMP | Layer.NEIGHBOUR
    message = {"op": 1, "asked": "fd00:1::1", "mac": INNER}
    asks = [
        seen(0, time, layers=layers, neighbour=message | {"peer": peer})
        for time, peer in ((1, "fd00:2::2"), (7 * S, "::"))
    ]
    first, second = _exchanges(*(packet(frame) for frame in asks))

    assert (first.protocol, str(first.asked_ip), str(first.asker_ip)) == ("ndp", "fd00:1::1", "fd00:2::2")
    assert (str(second.asked_ip), second.asker_ip, second.request_ns) == ("fd00:1::1", None, 7 * S)


@pytest.mark.parametrize(("apart_ns", "requests"), [(5 * S, [2]), (5 * S + 1, [1, 1])])
def test_questions_far_apart_are_two_resolutions(apart_ns: int, requests: list[int]) -> None:
    """Up to five seconds after the last one, it is asked again; the answer's time counts from then."""
    found = _exchanges(packet(_asks(0, S)), packet(_asks(0, S + apart_ns)), packet(_answers(0, S + apart_ns + 40)))

    assert [exchange.requests for exchange in found] == requests
    assert (found[-1].request_frame, found[-1].request_ns, found[-1].latency_ns) == (2, S + apart_ns, 40)
    assert all(exchange.answer_mac is None for exchange in found[:-1])


def test_a_third_question_counts_from_the_second() -> None:
    """The kernel's three tries are one resolution, also where they take longer than one pause may."""
    (found,) = _exchanges(*(packet(_asks(0, n * 4 * S)) for n in range(3)))

    assert (found.requests, found.request_frame, found.latency_ns) == (3, 3, None)


def test_an_announcement_asks_nobody() -> None:
    """Who asks for an address that is its own, announces it (RFC 5227); what follows is still told."""
    found = _exchanges(packet(_asks(0, 1, asked="172.17.0.2")), packet(_asks(0, 2)))

    assert [str(exchange.asked_ip) for exchange in found] == ["172.17.0.1"]


def test_a_question_that_a_port_sends_back_counts_once() -> None:
    """A hairpin port shows one packet twice; the answer is to both, and later questions count."""
    found = _exchanges(packet(_asks(0, 1), _asks(0, 2)), packet(_asks(0, 3)), packet(_answers(0, 9)))

    assert [(exchange.requests, exchange.request_ns, exchange.latency_ns) for exchange in found] == [(2, 3, 6)]


def test_answers_end_only_their_own_question() -> None:
    """The same address, asker and point; an answer that nobody asked for is no exchange, nor one of another kind."""
    found = _exchanges(
        packet(_answers(0, 1)),
        packet(_asks(0, 2)),
        packet(_answers(1, 3)),
        packet(_answers(0, 4, asked="172.17.0.9")),
        packet(_answers(0, 5, to_mac=GATEWAY)),
        packet(_answers(0, 6, op=4)),
        packet(_answers(0, 7)),
        packet(_answers(0, 8, mac=GATEWAY)),
        packet(_asks(0, 9)),
    )

    assert [(exchange.request_ns, exchange.answer_mac, exchange.latency_ns) for exchange in found] == [
        (2, BRIDGE, 5),
        (9, None, None),
    ]


def test_exchanges_are_in_order_of_time() -> None:
    """Whatever the order of the points' files."""
    found = _exchanges(packet(_asks(1, 3)), packet(_asks(0, 8)), packet(_answers(1, 9)))

    assert [(exchange.point, exchange.request_ns, exchange.latency_ns) for exchange in found] == [
        ("docker0", 3, 6),
        ("veth-c1", 8, None),
    ]


@pytest.mark.parametrize(
    ("answered", "told"),
    [((0, 1), "veth-c1"), ((0,), "veth-c1"), ((), "veth-c1")],
    ids=["both", "port", "none"],
)
def test_a_question_at_several_points_is_told_where_it_was_first(answered: tuple[int, ...], told: str) -> None:
    """A bridge's copies of it are left out."""
    answers = [packet(_answers(point, 50 + point)) for point in answered]
    here = context(POINTS, [packet(_asks(0, 10), _asks(1, 11)), *answers])
    found = distinct(here, all_exchanges(here))

    assert [exchange.point for exchange in found] == [told]


def test_the_first_point_is_that_of_the_way() -> None:
    """Not the one whose clock shows an earlier time."""
    here = context(POINTS, [packet(_asks(0, 11), _asks(1, 10)), packet(_asks(1, 6 * S))])

    assert [exchange.point for exchange in distinct(here, all_exchanges(here))] == ["veth-c1", "docker0"]


@pytest.mark.parametrize(("answered", "told"), [((0, 1), "veth-c1"), ((1,), "docker0")])
def test_an_answered_exchange_stays(answered: tuple[int, ...], told: str) -> None:
    """What the bridge saw first, and answered, is not told by the port that saw no answer."""
    answers = [packet(_answers(point, 50 + point)) for point in answered]
    here = context(POINTS, [packet(_asks(0, 11), _asks(1, 10)), *answers])

    assert [exchange.point for exchange in distinct(here, all_exchanges(here))] == [told]


def _step(here: Context, row: int, hop: int = 0) -> ArpStep | None:
    (frame,) = look(here, np.array([row]))
    return waited_for(here, by_pair(here, all_exchanges(here)), frame, hop)


def _waited(answered_ns: int, sent_ns: int, *between: Frame) -> bool:
    """Tell whether a packet waited for the answer to a question at 0."""
    frames = [_asks(0, 0), *between, _answers(0, answered_ns), seen(0, sent_ns)]
    here = context(POINTS, [packet(frame) for frame in frames])
    step = _step(here, int(here.hops["row"][-1]), 3)

    assert step is None or (step.at_hop, step.exchange.request_frame) == (3, 1)
    return step is not None


@pytest.mark.parametrize(("after_ns", "waited"), [(-1, False), (0, True), (MS, True), (MS + 1, False)])
def test_what_waits_goes_with_the_answer(after_ns: int, waited: bool) -> None:
    """In the millisecond after it, not before, and not later."""
    assert _waited(500, 500 + after_ns) == waited


@pytest.mark.parametrize(
    ("between", "waited"),
    [
        (seen(0, 510, eth_src=BRIDGE, eth_dst=INNER), False),
        (seen(0, 500, eth_src=BRIDGE, eth_dst=INNER), False),
        (seen(0, 499, eth_src=BRIDGE, eth_dst=INNER), True),
        (seen(0, 510, eth_src=INNER, eth_dst=BRIDGE), True),
        (seen(1, 510, eth_src=BRIDGE, eth_dst=INNER), True),
        (_answers(0, 510), True),
    ],
    ids=["after", "with", "before", "own", "elsewhere", "answer"],
)
def test_who_was_answered_before_did_not_wait(between: Frame, waited: bool) -> None:
    """Once the asked one sent anything but its answer, the queue is empty."""
    assert _waited(500, 600, between) == waited


def test_however_many_frames_came_meanwhile() -> None:
    """What came back before counts, and not how many others did."""
    came = seen(0, 501, eth_src=BRIDGE, eth_dst=INNER)
    others = [seen(0, 502 + n) for n in range(999)]

    assert _waited(500, 5_000, *others)
    assert not _waited(500, 5_000, came, *others)


def test_frames_of_another_file_are_not_looked_at() -> None:
    """The first frames of a point's file have no earlier ones, though there are rows before them."""
    frames = [seen(0, 700, eth_src=BRIDGE, eth_dst=INNER), _asks(1, 0), _answers(1, 500), seen(1, 600)]
    here = context(POINTS, [packet(frame) for frame in frames])

    assert _step(here, 3) is not None


@pytest.mark.parametrize(
    "columns", [{"eth_dst": GATEWAY}, {"eth_src": GATEWAY}, {"point": 1}], ids=["receiver", "sender", "point"]
)
def test_others_do_not_wait_for_it(columns: dict[str, int]) -> None:
    """Only from the asker to who answered, at the same point."""
    frame = seen(**{"point": 0, "time_ns": 600} | columns)  # type: ignore[arg-type]
    here = context(POINTS, [packet(one) for one in (_asks(0, 0), _answers(0, 500), frame)])
    row = int(here.hops["row"][-1])

    assert _step(here, row) is None


def test_unanswered_questions_keep_nobody_waiting() -> None:
    """There is no pair to look them up by."""
    here = context(POINTS, [packet(_asks(0, 0)), packet(seen(0, 600))])

    assert by_pair(here, all_exchanges(here)) == {}

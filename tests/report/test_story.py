"""A journey as lines: what each step is said to be, what a hop shows, and how it ended."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import (
    ArpExchange,
    ArpStep,
    Basis,
    Disposition,
    FdbStep,
    FilterStep,
    Journey,
    Mac,
    NatStep,
    OwnRouteStep,
    ProxyStep,
    RouteStep,
    Step,
    TunnelStep,
)
from analyzer.report.story import Line, answered, explain, stated, tell, title
from analyzer.run import Trace

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"
IP, OTHER = ip_address("172.17.0.1"), ip_address("fd00::2")
MAC = Mac(0x0242_AC11_0002)
NAT = NatStep("SNAT", False, "src", "a", "b", 1, None, Basis.OBSERVED)
FDB = FdbStep(MAC, "veth", "docker0", 1, None, None, False, False, False, Basis.OBSERVED)
ROUTE = RouteStep("docker0", "wlan0", 1, 64, 63, None, None, None, Basis.OBSERVED)
TUNNEL = TunnelStep("encapsulated", 5, IP, OTHER, 1, 4789, 1)
ASKED = ArpExchange("arp", IP, MAC, IP, "veth", 2, 0, MAC, 3, 74_800)


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Return an analysis."""
    return analyze([SEED])


@pytest.fixture(scope="module")
def ping(trace: Trace) -> Journey:
    """Return an echo request, from a container to outside."""
    return trace.journey(3)


def _plain(line: Line) -> str:
    return "".join(piece for _, piece in line)


def _last(journey: Journey) -> str:
    return _plain(list(tell(journey, 0))[-1])


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (ArpStep(ASKED, 1), ("ARP: it waited while 172.17.0.1 asked who has 172.17.0.1; 02:42:ac:11:00:02 answered "
         "after 74.8 µs (frames 2, 3 at veth)")),
        (ArpStep(replace(ASKED, protocol="ndp", asker_ip=None, requests=3), 1), ("NDP: it waited while "
         "02:42:ac:11:00:02 asked who has 172.17.0.1; 02:42:ac:11:00:02 answered after 74.8 µs (frames 2, 3 at veth, "
         "asked 3 times)")),
        (replace(FDB, flooded=True, local=True), "bridge: flooded from veth to docker0, like every broadcast"),
        (replace(FDB, local=True, copied=True), ("bridge: 02:42:ac:11:00:02 is the bridge's own MAC, so up to the "
         "host's IP stack")),
        (replace(FDB, copied=True, learnt_point="veth"), ("bridge: docker0 takes a copy of what it forwards, because "
         "capturing makes it promiscuous")),
        (replace(FDB, learnt_point="veth-b", learnt_frame=2), ("bridge: forwarded by MAC, 02:42:ac:11:00:02 was learnt "
         "on veth-b from frame 2")),
        (FDB, "bridge: forwarded by MAC 02:42:ac:11:00:02"),
        (ROUTE, "route: forwarded, ttl 64 → 63"),
        (replace(ROUTE, next_hop_ip=IP), "route: forwarded, ttl 64 → 63"),
        (replace(ROUTE, next_hop_mac=MAC, next_hop_ip=IP, route="default via X"), ("route: forwarded, ttl 64 → 63, "
         "next hop 172.17.0.1 is 02:42:ac:11:00:02, by “default via X”")),
        (replace(ROUTE, next_hop_mac=MAC), "route: forwarded, ttl 64 → 63, next hop 02:42:ac:11:00:02"),
        (NAT, "NAT: SNAT, src a → b"),
        (replace(NAT, rule="-j SNAT --to b"), "NAT: SNAT, src a → b, by “-j SNAT --to b”"),
        (replace(NAT, rule="-j MASQUERADE"), "NAT: MASQUERADE, src a → b, by “-j MASQUERADE”"),
        (replace(NAT, rule="-j MASQUERADE", reverse=True), "NAT: MASQUERADE undone on the way back, src a → b"),
        (TUNNEL, "tunnel: put into VXLAN, 172.17.0.1:1 → [fd00::2]:4789, VNI 5"),
        (replace(TUNNEL, action="carried"), "tunnel: carried by the network between, 172.17.0.1 → fd00::2, VNI 5"),
        (replace(TUNNEL, action="decapsulated"), "tunnel: out of VXLAN, 172.17.0.1 → fd00::2, VNI 5"),
        (ProxyStep(7, 2), ("proxy: a process of the host, such as docker-proxy, takes these bytes, and sends them on "
         "in C7")),
        (OwnRouteStep("web", IP, "default via X", "why", Basis.STATED), ("route: web sends it by 172.17.0.1, by its "
         "“default via X”")),
        (OwnRouteStep("web", None, "172.17.0.0/16 dev eth0", "why", Basis.STATED), ("route: web sends it straight over "
         "its own link, by its “172.17.0.0/16 dev eth0”")),
        (OwnRouteStep(None, IP, None, None, Basis.INFERRED), ("route: the sender sends it by 172.17.0.1, as the MAC "
         "shows")),
        (ProxyStep(7, 2, "docker-proxy"), "proxy: docker-proxy takes these bytes, and sends them on in C7"),
        (ProxyStep(7, 2, "pasta", user_mode=True), "proxy: pasta takes these bytes, and sends them on in C7"),
        (ProxyStep(7, 2, user_mode=True),
         "proxy: a user-mode network, such as pasta, takes these bytes, and sends them on in C7"),
        (FilterStep("drop", "a rule", 2), "stopped: a rule"),
        (FilterStep("drop", "a rule", 2, counted=0), "stopped: a rule"),
        (FilterStep("drop", "a rule", 2, counted=1), "stopped: a rule, which counted 1 packet"),
    ],
)  # fmt: skip
def test_each_step_is_said_in_one_sentence(step: Step, told: str) -> None:
    """With all that is known of it, and nothing of what is not."""
    assert explain(step) == told


def test_what_dumps_say_is_told_of_routes_and_bridges_only() -> None:
    """The reason before the neighbour; nothing where no dump speaks."""
    route = replace(ROUTE, why="no other fits", neighbour="IP lladdr MAC")

    assert stated(route) == ["chosen as no other fits", "neighbour entry “IP lladdr MAC”"]
    assert stated(replace(FDB, entry="MAC dev veth")) == ["FDB entry “MAC dev veth”"]
    assert [stated(step) for step in (ROUTE, FDB, NAT)] == [[], [], []]


def test_steps_stand_before_the_hop_that_they_lead_to(ping: Journey) -> None:
    """In their order; more of them is told only if that is asked for."""
    brief, full = ([_plain(line).strip() for line in tell(ping, ping.hops[0].time_ns, full=f)] for f in (False, True))
    signs = [line.partition(" ")[0] + line[1:].split()[0] for line in brief[1:]]

    assert signs[0] == "│route:"
    assert signs[1:] == ["│ARP:", "●veth-c3", "│bridge:", "●docker0", "│route:", "│NAT:", "│ARP:", "●wlan0", "╰left"]
    assert any("chosen as" in line for line in full)
    assert any(line.endswith("[stated]") for line in full)
    assert not any("chosen as" in line or "[" in line or "ip id" in line for line in brief)
    assert all("98 bytes, ip id 0xa8f6" in line for line in full if line.startswith("●"))


def test_a_hop_marks_what_changed_since_the_one_before(ping: Journey) -> None:
    """The source was masqueraded, the TTL counted down, the MACs are new; the destination is what it was."""
    lines = [line for line in tell(ping, 0) if line[0][1] == "    ● "]
    changed = [[piece.strip() for style, piece in line if style == "changed"] for line in lines]

    assert changed[:2] == [[], []]
    assert changed[2] == ["192.168.1.100", "ttl 63", "3c:22:fb:10:20:30 → 00:1d:aa:01:02:03"]
    assert "then 103 µs" in _plain(lines[1])
    assert "then" not in _plain(lines[2])


@pytest.mark.parametrize(
    ("frames", "told"),
    [((4,), "#4   "), ((4, 5, 6), "#4-6 "), ((4, 6), "#4,6 "), ((4, 5, 7), "#4,5,7")],
)
def test_frames_that_follow_each_other_are_a_range(ping: Journey, frames: tuple[int, ...], told: str) -> None:
    """Several frames of one hop are counted beside it."""
    journey = replace(ping, hops=(replace(ping.hops[0], frames=frames),), steps=())
    hop = _plain(list(tell(journey, 0))[1])

    assert told in hop
    assert (f"{len(frames)} frames, 98 bytes" in hop) is (len(frames) > 1)


def test_a_title_names_what_a_journey_belongs_to(ping: Journey, trace: Trace) -> None:
    """Its ends but for ARP, its connection, what it repeats or is about, and what else could own its frames."""
    again = replace(ping, retransmission_of=1, error_about=2, ambiguous=True, candidates=(8, 9))
    head = "J3 ICMP echo request seq 1  172.17.0.4 → 8.8.8.8  connection C0, original"

    assert _plain(title(ping)) == head
    assert _plain(title(again)) == (
        f"{head}  sent again after J1  about J2  ambiguous: equal packets at the same time as J8, J9"
    )
    assert _plain(title(replace(again, candidates=None))).endswith("equal packets at the same time")
    assert "→" not in _plain(title(trace.journey(1)))


@pytest.mark.parametrize(
    ("took", "again", "told"),
    [
        (None, 5_000, "answered by J6"),
        (9_000, None, "answered by J6 after 9.00 µs"),
        (9_000, 4_000, "retransmitted after 4.00 µs, answered by J6 5.00 µs after that"),
        (9_000, 9_001, "answered by J6 after 9.00 µs"),
    ],
)
def test_the_time_that_a_loss_cost_is_told_apart(ping: Journey, took: int | None, again: int | None, told: str) -> None:
    """From the time that the answer took; what was sent again after the answer does not matter."""
    assert answered(replace(ping, reply_latency_ns=took, sent_again_ns=again)) == told


@pytest.mark.parametrize(
    ("kind", "style"),
    [
        (Disposition.DELIVERED, "good"), (Disposition.LEFT_HOST, "good"), (Disposition.NOT_OBSERVABLE, "unsure"),
        (Disposition.DROPPED, "bad"), (Disposition.LOST, "bad"), (Disposition.REJECTED, "bad"),
    ],
)  # fmt: skip
def test_an_end_is_good_bad_or_unsure(ping: Journey, kind: Disposition, style: str) -> None:
    """What captures do not show is neither good nor bad."""
    assert list(tell(replace(ping, disposition=kind), 0))[-1][1][0] == style


def test_an_end_says_its_reason_and_what_came_of_it(ping: Journey) -> None:
    """That it is inferred, the error, the answer, and what it answers itself."""
    ended = replace(ping, reason="seen\x1b", basis=Basis.INFERRED, rejected_by=4, answered_by=None, answers=2)

    assert _last(ended) == r"    ╰ left the host: seen\x1b (inferred); the error is J4; answers J2"
    assert "(inferred)" not in _last(replace(ended, basis=Basis.STATED))

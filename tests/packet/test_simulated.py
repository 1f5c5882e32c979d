"""Random traffic through a simulated host: every frame in its packet, every translation found."""

from pathlib import Path

import pytest

from analyzer import analyze
from tests.packet.groups import packets_of
from tests.simulate import ACK, FIN, PSH, SYN, Simulator

SERVERS = ("8.8.8.8", "198.51.100.80", "203.0.113.53")


def _busy(simulator: Simulator, flows: int, packets: int, *, equal_payloads: bool = False) -> None:
    """Run many flows at once, with the same source ports in different containers."""
    random = simulator.random
    opened = []
    for index in range(flows):
        payload = b"the same question" if equal_payloads and index % 2 else None
        proto = ("tcp", "udp", "icmp")[index % 3]
        if proto == "icmp":
            payload = None
        opened.append(
            simulator.flow(
                proto, 2 + index % 4, SERVERS[index % 3], 40_000 + index // 8, (80, 53, 0)[index % 3], payload
            )
        )
    for flow in opened:
        if flow.proto == "tcp":
            simulator.send(flow, reply=False, flags=SYN)
            simulator.send(flow, reply=True, flags=SYN | ACK)
    for _ in range(packets):
        flow = random.choice(opened)
        size = random.choice((0, 1, 30, 500, 1400))
        simulator.send(flow, reply=random.random() < 0.5, size=size, flags=random.choice((ACK, ACK | PSH)))


@pytest.mark.parametrize("seed", range(6))
def test_many_flows_at_once(tmp_path: Path, seed: int) -> None:
    """Translated ports, three protocols, four containers, 400 packets."""
    simulator = Simulator(seed)
    _busy(simulator, 24, 400)

    assert packets_of(analyze(simulator.write(tmp_path))) == simulator.truth()


@pytest.mark.parametrize("seed", range(4))
def test_losses(tmp_path: Path, seed: int) -> None:
    """A packet that did not arrive never takes another one's frame."""
    simulator = Simulator(seed, loss=0.2)
    _busy(simulator, 24, 400)

    assert packets_of(analyze(simulator.write(tmp_path))) == simulator.truth()


@pytest.mark.parametrize("seed", range(4))
def test_equal_payloads(tmp_path: Path, seed: int) -> None:
    """The IP id tells equal datagrams apart."""
    simulator = Simulator(seed)
    _busy(simulator, 24, 300, equal_payloads=True)

    assert packets_of(analyze(simulator.write(tmp_path))) == simulator.truth()


@pytest.mark.parametrize("seed", range(4))
def test_retransmissions_are_packets_of_their_own(tmp_path: Path, seed: int) -> None:
    """The same bytes sent again have another IP id and time stamp."""
    simulator = Simulator(seed)
    flow = simulator.flow("tcp", 2, "8.8.8.8", 40_000, 80, None)
    for again in (False, True, True):
        simulator.send(flow, reply=False, flags=SYN, again=again)
    for _ in range(20):
        simulator.send(flow, reply=False, size=0, flags=ACK, again=True)

    assert packets_of(analyze(simulator.write(tmp_path))) == simulator.truth()


def test_a_port_used_again_is_a_new_connection(tmp_path: Path) -> None:
    """Three handshakes on one port, with other translated ports, are three connections."""
    simulator = Simulator(1)
    for _ in range(3):
        flow = simulator.flow("tcp", 2, "8.8.8.8", 40_000, 80, None)
        for reply, flags in ((False, SYN), (True, SYN | ACK), (False, ACK), (False, FIN | ACK), (True, FIN | ACK)):
            simulator.send(flow, reply=reply, size=0, flags=flags)
        simulator.now += 1_000_000_000
    trace = analyze(simulator.write(tmp_path))

    assert len({trace.connection(n).reply.dport for n in range(len(trace.connections))}) == 3
    assert packets_of(trace) == simulator.truth()


def test_equal_datagrams_without_ip_id_go_in_order(tmp_path: Path) -> None:
    """With nothing in the packets to tell them apart, order does, and ports that NAT kept."""
    simulator = Simulator(3, zero_ident=True)
    flows = [simulator.flow("udp", container, "8.8.8.8", 40_000 + container, 53, b"ask") for container in (2, 3)]
    for _ in range(40):
        for flow in flows:
            simulator.send(flow, reply=False)
            simulator.now += 2_000_000

    assert packets_of(analyze(simulator.write(tmp_path))) == simulator.truth()

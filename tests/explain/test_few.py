"""What limits are of: the first ones of what one client wants of one port."""

import numpy as np

from analyzer.explain.few import errands, first_of_each
from analyzer.schema import CONNECTIONS

CLIENT, OTHER, SERVER, SECOND = 1, 2, 8, 9


def _errands(*rows: tuple[int, int, int, bool, bool]) -> list[int]:
    """Return those of connections: client, server, port, answered, reset."""
    table = CONNECTIONS.empty(len(rows))
    for place, (client, server, port, answered, reset) in enumerate(rows):
        table["orig_src"][place], table["orig_dst"][place], table["orig_dport"][place] = client, server, port
        table["seen_reply"][place], table["reset"][place], table["proto"][place] = answered, reset, 6
    return errands(table).tolist()


def test_one_client_and_one_port_of_one_server() -> None:
    """Another client, port or server is another errand."""
    found = _errands(
        (CLIENT, SERVER, 80, True, False),
        (CLIENT, SERVER, 80, True, False),
        (OTHER, SERVER, 80, True, False),
        (CLIENT, SERVER, 81, True, False),
        (CLIENT, SECOND, 80, True, False),
    )
    assert found[0] == found[1]
    assert len(set(found[:-1])) == 4
    assert found[-1] == -1


def test_where_answers_fail_servers_are_alike() -> None:
    """What got no answer, or a RST, belongs together, whichever server was asked; what got one does not."""
    silent, elsewhere, refused, good, _ = _errands(
        (CLIENT, SERVER, 80, False, False),
        (CLIENT, SECOND, 80, False, False),
        (CLIENT, SERVER, 80, True, True),
        (CLIENT, SERVER, 80, True, False),
    )
    assert silent == elsewhere == refused != good


def test_no_connection_at_all() -> None:
    """Only what has none is left."""
    assert _errands() == [-1]


def test_the_first_ones_of_each() -> None:
    """In their order, no more than so many of each."""
    group = np.array([5, 7, 5, 5, 7, 9])

    assert first_of_each(group, 2).tolist() == [True, True, True, False, True, True]
    assert first_of_each(group[:0], 2).tolist() == []

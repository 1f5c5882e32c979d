"""FTP's ends of data connections."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.ftp import told
from analyzer.anonymise.key import Key
from analyzer.explain.hypotheses.ftp_data import ACTIVE, PASSIVE

ADDRESSES = Addresses(Key(b"secret"))
OCTET = st.integers(0, 255)


@given(st.tuples(OCTET, OCTET, OCTET, OCTET))
def test_a_passive_end_is_the_new_address(ip: tuple[int, int, int, int]) -> None:
    """The words before it make room."""
    line = b"227 Entering Passive Mode (%d,%d,%d,%d,117,48).\r\n" % ip

    found = told(line, ADDRESSES)

    assert found is not None
    assert len(found) == len(line)
    named = PASSIVE.match(found)
    assert named is not None
    assert bytes(map(int, named["ip"].split(b","))) == ADDRESSES.packed(bytes(ip))
    assert (named["high"], named["low"]) == (b"117", b"48")


@given(st.tuples(OCTET, OCTET, OCTET, OCTET))
def test_an_active_end_is_the_new_address_if_there_is_room(ip: tuple[int, int, int, int]) -> None:
    """Else of another length, and not the old one."""
    line = b"PORT %d,%d,%d,%d,4,5\r\n" % ip
    new = ADDRESSES.packed(bytes(ip))

    found = told(line, ADDRESSES)

    assert found is not None
    assert len(found) == len(line)
    named = ACTIVE.match(found)
    assert named is not None
    if len(",".join(map(str, new))) <= len(",".join(map(str, ip))):
        assert bytes(map(int, named["ip"].split(b","))) == new


@pytest.mark.parametrize(
    "line", [b"USER payroll\r\n", b"227 no address\r\n", b"PORT 1,2,3,400,5,6\r\n", b"150 Here\r\n", b""]
)
def test_other_lines(line: bytes) -> None:
    """Are replaced as what nobody knows."""
    assert told(line, ADDRESSES) is None


def test_an_extended_end_has_a_port_and_no_address() -> None:
    """RFC 2428."""
    line = b"229 Entering Extended Passive Mode (|||30000|)\r\n"

    assert told(line, ADDRESSES) == line
    assert re.search(rb"30000", line)

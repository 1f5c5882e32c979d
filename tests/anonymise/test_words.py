"""Names in texts."""

import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.key import Key
from analyzer.anonymise.words import Words, fit, known

KEY = Key(b"secret")
WORDS = Words(KEY, Addresses(KEY))


@given(st.from_regex(r"[A-Za-z0-9_.-]{1,30}", fullmatch=True))
def test_a_name_is_replaced_by_one_as_long_of_the_same_form(name: str) -> None:
    """Letters by letters, small ones by small ones; what is between them stays."""
    found = WORDS.text(name)
    if re.search(r"\d{1,3}([.-]\d{1,3}){3}", name):
        return  # an address, which may be shorter or longer

    shape = re.sub("[0-9]", "0", re.sub("[A-Z]", "A", re.sub("[a-z]", "a", name)))
    told = re.sub("[0-9]", "0", re.sub("[A-Z]", "A", re.sub("[a-z]", "a", found)))
    hexadecimal = re.search(r"[0-9a-f]{8,}", name)
    assert len(found) == len(name)
    assert hexadecimal or told == shape


@given(st.lists(st.from_regex(r"[a-z]{3,6}", fullmatch=True), min_size=2, max_size=50, unique=True))
def test_two_names_are_never_replaced_by_one(names: list[str]) -> None:
    """Nor by a word that stays."""
    found = [WORDS.text(name) for name in names]

    assert len(set(found)) == len(names)
    assert not [new for old, new in zip(names, found, strict=True) if old not in known() and new in known()]


@pytest.mark.parametrize(
    "text",
    [
        "-A FORWARD -i docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "default via dev eth0 proto static metric 100",
        "2026-11-28T01:02:03.123456789Z",
        "tcp ESTABLISHED mark=0 use=1 id=2730842205",
        "veth1a2b3c4 vethweb calie57ed5aa5ae 0x1f2e3d4c",
        "*mangle :PREROUTING ACCEPT [52:3467]",
    ],
)
def test_what_commands_and_kernels_say_stays(text: str) -> None:
    """Their words, numbers and times."""
    assert WORDS.text(text) == text


def test_addresses_in_texts_are_replaced_as_in_packets(new: SimpleNamespace) -> None:
    """Of all kinds, with lengths and ports behind them."""
    ip, mac = new.addresses.packed(bytes((9, 9, 9, 9))), new.addresses.mac(bytes.fromhex("0016 3e11 2233"))
    four = ".".join(map(str, ip))

    told = new.words.text("src=9.9.9.9 9.9.9.9:53 [9.9.9.9]:53, 9.9.9.9/32 9.9.9.9. 00:16:3e:11:22:33 2001:db8::1/64")

    assert told.count(four) == 5
    assert mac.hex(":") in told
    assert "9.9.9.9" not in told


def test_ids_are_replaced_and_short_ones_are_the_first_of_long_ones() -> None:
    """As engines have them: br-SHORT is the bridge of the network LONG."""
    long = "01a0ee0f8dce" + "3f" * 26

    assert WORDS.text(long)[:12] == WORDS.text("01a0ee0f8dce") == WORDS.text("br-01a0ee0f8dce")[3:]
    assert WORDS.text(long) != long
    assert len(WORDS.text(long)) == 64


def test_parts_of_names_stay_parts() -> None:
    """A compose project's name is in those of its containers and networks."""
    container, network = WORDS.text("payroll-app2-1"), WORDS.text("payroll_default")

    assert container.split("-")[0] == network.split("_")[0] != "payroll"
    assert network.endswith("_default")


def test_long_numbers_in_names_are_replaced_and_counters_are_not() -> None:
    """An account's number tells whose it is."""
    assert "123456789012" not in WORDS.text("acme123456789012")
    assert WORDS.name(b"123456789012") != b"123456789012"
    assert WORDS.text("rb212992 packets 123456789012") == "rb212992 packets 123456789012"


def test_an_address_in_a_name_is_as_long_and_another_one() -> None:
    """As clouds name machines."""
    found = WORDS.text("ip-10-20-30-45.internal")

    assert re.fullmatch(r"ip-\d\d-\d\d-\d\d-\d\d\.internal", found)
    assert found != "ip-10-20-30-45.internal"
    assert (fit(7, 3), fit(212, 2)) == ("007", "12")


@pytest.mark.parametrize(
    "text",
    [
        "srv45.45.67.89", "x45.45.67.89abc", "h_45_45_67_89", "f2b-45_45_67_89", "host45-45-67-89.acme",
        "045.045.067.089",
    ],
)  # fmt: skip
def test_an_address_within_a_word_is_replaced(text: str) -> None:
    """However it is spelt, by the same one."""
    new = [int(one) for one in re.findall(r"\d+", WORDS.text("45.45.67.89"))]
    found = [int(one) for one in re.findall(r"\d+", WORDS.text(text).replace("f2b", "f"))]

    assert all(one % 10 ** len(str(two)) == two for one, two in zip(new, found, strict=True))
    assert not re.search("45.0?45.0?67.0?89", WORDS.text(text))


@pytest.mark.parametrize("text", ["3C-22-FB-10-20-30", "3c22.fb10.2030", "mac_3c:22:fb:10:20:30"])
def test_a_mac_in_any_spelling(text: str) -> None:
    """As vendors write it."""
    new = WORDS.text("3c:22:fb:10:20:30").replace(":", "")

    assert re.sub("mac|[-_.:]", "", WORDS.text(text)) == new != "3c22fb102030"


def test_the_reverse_name_of_an_address_or_a_zone_is_that_of_the_new_one() -> None:
    """With as many digits; of whatever number comes first there."""
    assert WORDS.text("245.67.45.45.in-addr.arpa").endswith("." + WORDS.text("67.45.45.in-addr.arpa"))
    assert "67.45.45" not in WORDS.text("67.45.45.in-addr.arpa")
    assert WORDS.text("999.1.in-addr.arpa") == "999.1.in-addr.arpa"
    nibbles = WORDS.text("8.b.d.0.1.0.0.2.ip6.arpa 6.6.7.e.8.b.d.0.1.0.0.2.ip6.arpa").split()
    assert nibbles[0] == "8.b.d.0.1.0.0.2.ip6.arpa"
    assert nibbles[1].endswith(nibbles[0])
    assert not nibbles[1].startswith("6.6.7.e")


def test_names_of_other_alphabets_are_no_options() -> None:
    """What comes behind xn-- is a name."""
    assert "geheim" not in WORDS.text("xn--geheim-1ya.com")
    assert WORDS.text("! --ctstate NEW") == "! --ctstate NEW"


def test_an_id_of_digits_alone_is_one_in_a_bridges_name() -> None:
    """One in 282 is."""
    assert WORDS.text("br-840917263504")[3:] == WORDS.text("840917263504" + "a" * 52)[:12] != "840917263504"


@given(st.binary(max_size=63))
def test_any_bytes_of_a_packet_are_a_name(data: bytes) -> None:
    """As long afterwards, whatever they are."""
    assert len(WORDS.name(data)) == len(data)

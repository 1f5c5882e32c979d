"""What iptables' targets do: each as its kernel module, or said to be followed by nobody."""

from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model.question import Bits, Constant, Field, Missing, Of, OneOf, Opaque, Plus
from analyzer.model.rules import Decide, NatTarget, Return, Statement, Translate, Unfollowed, Untrack, Verdict, Write
from analyzer.state.rules.options import Option
from analyzer.state.rules.targets import ends, statements
from analyzer.state.rules.values import Asking

WORD = 0xFFFF_FFFF


def _done(target: str, **told: str) -> tuple[Statement, ...]:
    """Return what a target does with some options; underscores stand for dashes."""
    return statements(
        target,
        tuple(
            Option(f"--{name.replace('_', '-')}", value, negated=False, module=target) for name, value in told.items()
        ),
    )


def _written(target: str, before: int, **told: str) -> Any:
    """Return what a target makes of a value that its field, and every other one, has."""
    (step,) = _done(target, **told)
    assert isinstance(step, Write)
    return Asking(lambda _: before, {}).value(step.value)


@pytest.mark.parametrize(
    ("target", "done"),
    [
        ("", ()), ("LOG", ()), ("TCPMSS", ()), ("ACCEPT", (Decide(Verdict.ACCEPT),)), ("DROP", (Decide(Verdict.DROP),)),
        ("REJECT", (Decide(Verdict.REJECT),)), ("RETURN", (Return(),)), ("NOTRACK", (Untrack(),)),
        ("NFQUEUE", (Unfollowed("target NFQUEUE", Missing.USERSPACE),)),
        ("QUEUE", (Unfollowed("target QUEUE", Missing.USERSPACE),)),
        ("SYNPROXY", (Unfollowed("target SYNPROXY", Missing.TARGET),)),
    ],
)  # fmt: skip
def test_simple_targets(target: str, done: tuple[Statement, ...]) -> None:
    """They decide, return, do nothing that a rule could ask for, or are not followed, with the reason."""
    assert _done(target) == done


@pytest.mark.parametrize(
    ("told", "after"),
    [
        ({"set_xmark": "0x1/0xffffffff"}, 0x1),
        ({"set_xmark": "0x1"}, 0x1),
        ({"set_xmark": "0x1/0x0"}, 0xF1 ^ 0x1),
        ({"set_xmark": "0x1/0xf0"}, 0x0),
        ({"set_mark": "0x1/0xf0"}, 0x1),
        ({"set_mark": "5"}, 0x5),
    ],
    ids=str,
)
def test_marks_are_set_as_the_kernel_does(told: dict[str, str], after: int) -> None:
    """Bits of the mask are cleared, then the value flips some; with --set-mark its bits are cleared as well."""
    assert _written("MARK", 0xF1, **told) == after


@pytest.mark.parametrize(
    ("told", "field", "value"),
    [
        ({"set_xmark": "0x7/0xffffffff"}, Field.CT_MARK, Bits(Of(Field.CT_MARK), 0, 7)),
        ({"save_mark": ""}, Field.CT_MARK, Bits(Of(Field.MARK), WORD)),
        ({"restore_mark": ""}, Field.MARK, Bits(Of(Field.CT_MARK), WORD)),
        ({"save_mark": "", "nfmask": "0xff", "ctmask": "0xffffffff"}, Field.CT_MARK, Bits(Of(Field.MARK), 0xFF)),
        ({"restore_mark": "", "nfmask": "0xffffffff", "ctmask": "0xff"}, Field.MARK, Bits(Of(Field.CT_MARK), 0xFF)),
        ({"save_mark": "", "ctmask": "0xff"}, Field.CT_MARK, Opaque("CONNMARK with masks", Missing.FIELD)),
        ({"restore_mark": "", "nfmask": "0xff"}, Field.MARK, Opaque("CONNMARK with masks", Missing.FIELD)),
    ],
    ids=str,
)
def test_a_connections_mark_is_set_saved_or_restored(told: dict[str, str], field: Field, value: Any) -> None:
    """The mask of where it comes from selects; where some bits would stay, nobody knows the result."""
    assert _done("CONNMARK", **told) == (Write(field, value, lenient=True),)


@pytest.mark.parametrize(
    ("target", "told", "field", "value"),
    [
        ("TTL", {"ttl_set": "7"}, Field.TTL, Constant(7)),
        ("TTL", {"ttl_inc": "2"}, Field.TTL, Plus(Of(Field.TTL), 2)),
        ("HL", {"hl_dec": "2"}, Field.TTL, Plus(Of(Field.TTL), -2)),
        ("DSCP", {"set_dscp": "0x2e"}, Field.DSCP, Constant(46)),
        ("DSCP", {"set_dscp_class": "EF"}, Field.DSCP, Constant(46)),
        ("TOS", {"set_tos": "0xb8"}, Field.DSCP, Constant(46)),
        ("TOS", {"set_tos": "0xb8/0xff"}, Field.DSCP, Opaque("TOS", Missing.FIELD)),
        ("TOS", {"set_tos": "Minimize-Delay"}, Field.DSCP, Opaque("TOS", Missing.FIELD)),
    ],
)
def test_header_fields_are_set(target: str, told: dict[str, str], field: Field, value: Any) -> None:
    """TOS has DSCP in its upper six bits; with a mask or a name, what it becomes is not known."""
    assert _done(target, **told) == (Write(field, value),)


@pytest.mark.parametrize(
    ("target", "told"),
    [("MARK", {"set_xmark": "what"}), ("MARK", {}), ("TTL", {}), ("DSCP", {"set_dscp_class": "zz"}),
     ("DNAT", {"to_destination": "nowhere:80"}), ("SNAT", {"to_source": "10.0.0.1:http"})],
)  # fmt: skip
def test_a_value_that_cannot_be_is_said(target: str, told: dict[str, str]) -> None:
    """With the target and what its options say."""
    (step,) = _done(target, **told)

    assert isinstance(step, Unfollowed)
    assert step.missing is Missing.VALUE
    assert step.text.startswith(target)
    assert all(value in step.text for value in told.values())


def test_tracking_is_left_out_or_goes_to_a_zone() -> None:
    """Zones are not followed; helpers and events change nothing here."""
    assert _done("CT", notrack="") == (Untrack(),)
    assert _done("CT", helper="ftp") == ()
    assert _done("CT", zone_orig="3") == (Unfollowed("target CT --zone", Missing.ZONE),)
    assert _done("NETMAP", to="10.0.0.0/24") == (Unfollowed("NETMAP 10.0.0.0/24", Missing.TARGET),)


@pytest.mark.parametrize(
    ("target", "told", "address", "port"),
    [
        ("DNAT", {"to_destination": "172.17.0.2:80"}, Constant(ip_address("172.17.0.2")), Constant(80)),
        ("SNAT", {"to_source": "10.0.0.1"}, Constant(ip_address("10.0.0.1")), None),
        ("REDIRECT", {"to_ports": "8080"}, None, Constant(8080)),
        ("MASQUERADE", {}, None, None),
        ("MASQUERADE", {"to_ports": "1024-2048"}, None, OneOf(1024, 2048)),
        ("MASQUERADE", {"random": ""}, None, OneOf(1, 65_535)),
        ("MASQUERADE", {"to_ports": "1024-2048", "random_fully": ""}, None, OneOf(1024, 2048)),
    ],
)
def test_translations_say_address_and_port(target: str, told: dict[str, str], address: Any, port: Any) -> None:
    """As far as the rule does; a source port that is taken at random may be any."""
    to = next((value for name, value in told.items() if name.startswith("to")), None)

    assert _done(target, **told) == (Translate(NatTarget(target), address, port, to),)


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        (None, None, None), ("", None, None), (":8080", None, Constant(8080)),
        ("[fd00::2]:80", Constant(ip_address("fd00::2")), Constant(80)),
        ("[fd00::2]", Constant(ip_address("fd00::2")), None),
        ("fd00::2", Constant(ip_address("fd00::2")), None),
        ("10.0.0.1-10.0.0.9:80-90", OneOf(ip_address("10.0.0.1"), ip_address("10.0.0.9")), OneOf(80, 90)),
        ("10.0.0.1-10.0.0.1:80-80", Constant(ip_address("10.0.0.1")), Constant(80)),
        ("10.0.0.1:80-90/1000", Constant(ip_address("10.0.0.1")), OneOf(80, 90)),
    ],
)  # fmt: skip
def test_ends_are_read_in_every_form(text: str | None, address: Any, port: Any) -> None:
    """A range of one is no range; the base behind a slash does not matter."""
    assert ends(text) == (address, port)

"""The kernel's account of drops: what is kept of what tracefs tells."""

import subprocess

import pytest

from analyzer.record.drops import COMMAND, JOIN, SCRIPT

HEAD = "            date-24361   [000] ...1. {time}: tracing_mark_write: {said}"
RECEIVED = "  ping-1 [000] ..s1. {time}: netif_receive_skb: dev={dev} skbaddr={skb} len={length}"
SENT = (
    "  kworker/u8:1-32 [000] b.... {time}: net_dev_start_xmit: dev={dev} queue_mapping=0 skbaddr={skb} len={length} a=0"
)
FREED = "  ping-24 [000] .Ns1. {time}: consume_skb: skbaddr={skb} location=consume"
DROPPED = (
    "  ping-24368   [000] .Ns1. {time}: kfree_skb: skbaddr={skb} rx_sk=0000000000000000 protocol=2048 "
    "location=nft_do_chain+0x3e8/0x610 reason: NETFILTER_DROP"
)


def _joined(*lines: str) -> list[str]:
    done = subprocess.run(["awk", JOIN], input="".join(f"{line}\n" for line in lines), capture_output=True, text=True,
                          check=True)  # fmt: skip
    return done.stdout.splitlines()


def _way(skb: str = "aa", at: str = "100.000002") -> list[str]:
    return [
        RECEIVED.format(time="100.000001", dev="veth1", skb=skb, length=84),
        SENT.format(time=at, dev="veth2", skb=skb, length=98),
    ]


def test_a_drop_with_the_interfaces_that_it_passed() -> None:
    """Time, reason, function, protocol; then each interface with length and time, in order."""
    assert _joined(*_way(), DROPPED.format(time="100.000009", skb="aa")) == [
        "100.000009 NETFILTER_DROP nft_do_chain 2048 veth1,84,100.000001,r veth2,98,100.000002,s"
    ]


def test_an_address_that_is_used_again() -> None:
    """What was freed, or dropped, is forgotten; a buffer that passed nothing is nobody's packet."""
    free, drop = FREED.format(time="100.1", skb="aa"), DROPPED.format(time="100.2", skb="aa")

    assert _joined(*_way(), free, drop) == []
    assert len(_joined(*_way(), drop, drop)) == 1
    assert _joined(*_way("bb"), drop) == []


@pytest.mark.parametrize(
    ("said", "marked", "dropped"),
    [
        ("100.900000000", "137.900100", "100.200000"),
        ("100.000000000", "136.999990", "100.200000"),
        ("100", "137.990000", "100.200000"),
        ("100.900000000", "100.900100", "137.200000"),
    ],
    ids=["ahead", "just-before", "no-fraction", "not-ahead"],
)
def test_tai_is_told_as_utc(said: str, marked: str, dropped: str) -> None:
    """By the marker, which holds what date(1) said; leap seconds are whole."""
    lines = [HEAD.format(time=marked, said=said), *_way(at="137.1"), DROPPED.format(time="137.200000", skb="aa")]

    assert _joined(*lines)[0].split()[0] == dropped


def test_only_the_last_interfaces_are_kept() -> None:
    """A packet that goes round and round fills nothing."""
    lines = [RECEIVED.format(time=f"100.{n:06}", dev=f"veth{n}", skb="aa", length=84) for n in range(20)]
    (line,) = _joined(*lines, DROPPED.format(time="101.0", skb="aa"))

    assert [word.partition(",")[0] for word in line.split()[4:]] == [f"veth{n}" for n in range(12, 20)]


def test_events_that_the_kernel_could_not_tell() -> None:
    """Their number is kept."""
    assert _joined("CPU:1 [LOST 42 EVENTS]", "nonsense") == ["lost 42"]


def test_the_script_is_one_that_shells_understand() -> None:
    """As far as they can tell without running it."""
    subprocess.run(["sh", "-n", "-c", SCRIPT], check=True)

    assert COMMAND[:4] == ("unshare", "--mount", "sh", "-c")

"""Both accounts in the same words, and how they are compared."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from analyzer.model.question import ABSENT, OneOf
from analyzer.model.replay import Account, Agreement, End
from analyzer.model.rules import Verdict
from analyzer.model.verdict import Account as Judged
from analyzer.model.verdict import Why
from analyzer.replay.play import compared, said
from analyzer.state.rules.iptables import parse_tables
from tests.state.rules.judge import syn

(TABLE,) = parse_tables(["*filter", ":FORWARD DROP [0:0]", "-A FORWARD -p tcp -j DROP"], 4)
(RULE,) = TABLE.rules()
LEFT = syn(oif="docker0")
MASTERS = {"veth1": "docker0", "wlan0": None}


def _forwarded(out: str = "veth1", flow: str = "172.17.0.2:40000 → 8.8.8.8:80") -> Account:
    return Account(End.FORWARDED, "", out, flow)


@pytest.mark.parametrize(
    ("judged", "account"),
    [
        (Judged(packet=LEFT), Account(End.FORWARDED, "", "docker0", "172.17.0.2:40000 → 8.8.8.8:80")),
        (Judged(packet=replace(LEFT, oif=None)), Account(End.FORWARDED, "", "", "172.17.0.2:40000 → 8.8.8.8:80")),
        (Judged(packet=replace(LEFT, src=None, sport=None)), Account(End.FORWARDED, "", "docker0", "? → 8.8.8.8:80")),
        (Judged(packet=replace(LEFT, dst=OneOf(ip_address("1.1.1.1"), ip_address("1.1.1.9")))),
         Account(End.FORWARDED, "", "docker0", "172.17.0.2:40000 → ?")),
        (Judged(packet=replace(LEFT, protocol=1)), Account(End.FORWARDED, "", "docker0", "172.17.0.2 → 8.8.8.8")),
        (Judged(packet=replace(LEFT, oif=ABSENT), for_host=True), Account(End.DELIVERED, "", "", "")),
        (Judged(verdict=Verdict.DROP, why=Why.RULE, rule=RULE),
         Account(End.DROPPED, "rule “-A FORWARD -p tcp -j DROP”", "", "")),
        (Judged(verdict=Verdict.REJECT, why=Why.RULE, rule=RULE),
         Account(End.REJECTED, "rule “-A FORWARD -p tcp -j DROP”", "", "")),
        (Judged(verdict=Verdict.DROP, why=Why.POLICY, policy=(TABLE, "FORWARD")),
         Account(End.DROPPED, "policy DROP of ip filter FORWARD", "", "")),
        (Judged(verdict=Verdict.DROP, why=Why.REVERSE_PATH, text="rp_filter on docker0: ..."),
         Account(End.DROPPED, "reverse path filter", "", "")),
        (Judged(verdict=Verdict.UNKNOWN, text="cannot tell"), Account(End.UNKNOWN, "cannot tell", "", "")),
    ],
)  # fmt: skip
def test_what_hoptrace_says(judged: Judged, account: Account) -> None:
    """In the words that the kernel's account has."""
    assert said(judged) == account


@pytest.mark.parametrize(
    ("kernel", "judged", "agreement"),
    [
        (_forwarded(), Judged(packet=LEFT), Agreement.AGREES),
        (_forwarded(flow="172.17.0.2:1024 → 8.8.8.8:80"), Judged(packet=LEFT), Agreement.AGREES),
        (_forwarded("wlan0"), Judged(packet=LEFT), Agreement.DIFFERS),
        (_forwarded("wlan0"), Judged(packet=replace(LEFT, oif=None)), Agreement.AGREES),
        (_forwarded(flow="192.168.1.100:40000 → 8.8.8.8:80"), Judged(packet=LEFT), Agreement.DIFFERS),
        (_forwarded(flow="172.17.0.2:40000 → 8.8.8.8:81"), Judged(packet=LEFT), Agreement.DIFFERS),
        (_forwarded(flow="172.17.0.2:40000 → 9.9.9.9:80"), Judged(packet=LEFT), Agreement.DIFFERS),
        (_forwarded(flow="[fd00::2]:1 → [2001:db8::1]:80"),
         Judged(packet=syn(src="fd00::2", dst="2001:db8::1", oif="docker0")), Agreement.AGREES),
        (Account(End.DELIVERED, "", "", ""), Judged(packet=LEFT), Agreement.DIFFERS),
        (Account(End.DELIVERED, "", "", ""), Judged(packet=LEFT, for_host=True), Agreement.AGREES),
        (Account(End.DROPPED, "rule “-A FORWARD -p tcp -j DROP”", "", ""),
         Judged(verdict=Verdict.DROP, why=Why.RULE, rule=RULE), Agreement.AGREES),
        (Account(End.DROPPED, "rule “another”", "", ""),
         Judged(verdict=Verdict.DROP, why=Why.RULE, rule=RULE), Agreement.DIFFERS),
        (Account(End.DROPPED, "no route", "", ""),
         Judged(verdict=Verdict.DROP, why=Why.DEAD_END, text="blackhole route"), Agreement.AGREES),
        (Account(End.DROPPED, "no route", "", ""), Judged(verdict=Verdict.DROP, why=Why.TTL), Agreement.DIFFERS),
        (Account(End.UNKNOWN, "", "", ""), Judged(packet=LEFT), Agreement.UNSAID),
        (_forwarded(), Judged(verdict=Verdict.UNKNOWN, text="cannot tell"), Agreement.UNSAID),
    ],
)  # fmt: skip
def test_comparing(kernel: Account, judged: Judged, agreement: Agreement) -> None:
    """The end, what decided, the way out and the addresses; a source port is the kernel's choice."""
    found, why = compared(MASTERS, kernel, said(judged), judged)

    assert found is agreement
    assert bool(why) is (agreement is not Agreement.AGREES)

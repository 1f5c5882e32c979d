"""Entries for a VXLAN's far end that do not have its MAC any more, and what comes for a MAC that this end has not."""

from analyzer.explain.case import Case
from analyzer.explain.far_ends import far_ends, strangers
from analyzer.model import mac_text
from tests.explain.hosts import trace_of


def _case(name: str) -> Case:
    return trace_of(name).parts[0].case


def test_the_entry_and_the_mac_that_frames_come_from() -> None:
    """Both are told, with all that goes there in vain."""
    (end,) = far_ends(_case("flannel.stale-mac-here"))

    assert end.entry.mac is not None
    assert (mac_text(end.entry.mac), mac_text(end.has)) == ("9a:77:31:bb:20:06", "22:d1:9f:00:60:07")
    assert (str(end.route.dst), end.route.dev) == ("10.244.6.0/24", "flannel.1")
    assert end.packets


def test_what_is_for_another_mac() -> None:
    """It ends where it came out of its tunnel."""
    (one,) = strangers(_case("flannel.stale-mac-there"))

    assert (one.link.name, mac_text(one.sent_to)) == ("flannel.1", "9a:77:31:bb:20:06")


def test_right_entries_are_not_told() -> None:
    """Nor is anything of a host without such interfaces."""
    for name in ("flannel.healthy", "routed.healthy-calico"):
        assert (list(far_ends(_case(name))), list(strangers(_case(name)))) == ([], [])

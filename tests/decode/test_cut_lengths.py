"""How many bytes every point kept is told by the frames that were cut."""

import pytest

from analyzer.decode.cut_lengths import CutLengths
from analyzer.read.records import LINKTYPE_NONE, FileInfo, Interface, Source
from analyzer.schema import FRAMES, Columns, Layer

KEEP_ALL = 1 << 30


def _frames(*lengths: int, point: int = 0, orig: int = 1500, layers: int = 0) -> Columns:
    """Return frames of one point, by how many bytes were kept of each."""
    frames = FRAMES.empty(len(lengths))
    frames["cap_len"][:], frames["orig_len"][:] = lengths, orig
    frames["point"][:], frames["layers"][:] = point, layers
    return frames


def _kept(*parts: Columns, links: tuple[int, ...] = (1,), keep: int = KEEP_ALL) -> int:
    """Count all parts; point n is interface n of one file."""
    lengths = CutLengths()
    for part in parts:
        lengths.add(part)
    return _told(lengths, links, keep)


def _told(lengths: CutLengths, links: tuple[int, ...], keep: int = KEEP_ALL) -> int:
    info = FileInfo("a.pcap", [Interface(link, 0) for link in links])
    return lengths.kept([Source(0, number, 0) for number in range(len(links))], [info], keep)


def test_frames_that_are_whole_say_nothing() -> None:
    """Short frames are no cut ones."""
    assert _kept(_frames(60, 60, orig=60)) == KEEP_ALL
    assert _kept(_frames(90), _frames(60, 60, orig=60)) == 90 - 14


def test_the_usual_length_counts() -> None:
    """One record that is shorter than the others is broken; of lengths that are as frequent, the shorter counts."""
    assert _kept(_frames(96, 40, 96), _frames(96)) == 96 - 14
    assert _kept(_frames(96, 60)) == 60 - 14


@pytest.mark.parametrize(
    ("link", "header"), [(1, 14), (113, 16), (276, 20), (0, 4), (108, 4), (101, 0), (228, 0)], ids=str
)
def test_the_link_header_is_taken_off(link: int, header: int) -> None:
    """What is kept counts from the network header on."""
    assert _kept(_frames(96), links=(link,)) == 96 - header


@pytest.mark.parametrize(
    ("layers", "taken"),
    [(Layer.VLAN, 8), (Layer.TUNNEL, 70), (Layer.VLAN | Layer.TUNNEL, 78), (Layer.IPV4, 0)],
    ids=str,
)
def test_tags_and_tunnels_take_their_share(layers: int, taken: int) -> None:
    """If any cut frame of the point has them; what whole frames have does not matter."""
    frames = _frames(96, 96, 1500)
    frames["layers"][:] = (0, layers, Layer.VLAN | Layer.TUNNEL)

    assert _kept(frames, _frames(96)) == 96 - 14 - taken


def test_the_point_that_kept_least_decides() -> None:
    """Of all points, and of what is asked for; never less than nothing."""
    both = [_frames(96, 96), _frames(70, point=1)]

    assert _kept(*both, links=(1, 1)) == 70 - 14
    assert _kept(*both, links=(1, 1), keep=20) == 20
    assert _kept(*both, links=(1, LINKTYPE_NONE)) == 96 - 14
    assert _kept(_frames(8)) == 0


def test_counts_from_elsewhere_are_added_under_their_own_points() -> None:
    """Point 0 there may be point 1 here, and its lengths and layers join those that are known."""
    here, there = CutLengths(), CutLengths()
    here.add(_frames(96, 50, point=1))
    there.add(_frames(96, 96, layers=Layer.VLAN))
    here.merge(there, [1])

    assert _told(here, (1, 276)) == 96 - 20 - 8

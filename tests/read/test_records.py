"""Batches of records, and what link types are called."""

import numpy as np
import pytest

from analyzer.read.records import DECODED, LINK_NAMES, Records, link_name


@pytest.mark.parametrize(
    ("link_type", "text"),
    [(105, "link type 105 (IEEE 802.11)"), (147, "link type 147"), (1, "link type 1"), (-1, "link type -1")],
)
def test_a_link_type_is_told_by_number_and_name(link_type: int, text: str) -> None:
    """By its number alone where nobody knows a name."""
    assert link_name(link_type) == text


def test_only_what_is_not_decoded_needs_a_name() -> None:
    """The lists have nothing in common; Ethernet and both cooked headers are decoded."""
    assert not DECODED & LINK_NAMES.keys()
    assert {1, 113, 276} <= DECODED


def test_the_first_records_of_a_batch() -> None:
    """All columns are cut alike; the bytes and the number of the first frame stay. A batch may have fewer."""
    four = np.arange(4)
    batch = Records(np.zeros(99, np.uint8), four, four + 10, four + 20, four + 30, four.astype(np.int32), 7)
    two = batch.first(2)

    assert (len(batch), len(two), len(batch.first(9)), len(batch.first(0))) == (4, 2, 4, 0)
    columns = (two.start, two.cap_len, two.orig_len, two.time_ns, two.interface)
    assert [column.tolist() for column in columns] == [[0, 1], [10, 11], [20, 21], [30, 31], [0, 1]]
    assert (two.buffer is batch.buffer, two.first_frame) == (True, 7)

"""Questions to name servers, read from the captures once more."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from analyzer.decode.dns import parse
from analyzer.explain.case import ReadAgain
from analyzer.model.overview import NameQuery
from analyzer.packet.context import Context
from analyzer.packet.questions import join_messages, message_of, message_rows
from analyzer.run.part import reader
from analyzer.schema import Int64


class Names:
    """What was asked, and what came back."""

    def __init__(self, context: Context, read_again: ReadAgain) -> None:
        """Look at packets that may hold messages, among others; *read_again* reads rows among all."""
        self._context, self._read_again = context, read_again

    @cached_property
    def _own(self) -> list[NameQuery]:
        context = self._context
        again = reader(context, self._read_again)(message_rows(context))
        read = ((row, parse(message_of(context, row, data, length, kind))) for row, data, length, kind in again)
        return join_messages(context, [(row, message) for row, message in read if message is not None])

    def __getstate__(self) -> dict[str, object]:
        """Tell others what was found; they need not look."""
        return {"asked": self.asked}

    def __call__(self) -> list[NameQuery]:
        """Return all questions."""
        return self.asked

    @cached_property
    def asked(self) -> list[NameQuery]:
        """Questions in order of time, by the numbers that packets have among all."""
        numbers = self._context.numbers
        return [
            replace(one, journey=int(numbers[one.journey]),
                    answer=None if one.answer is None else int(numbers[one.answer]))
            for one in self._own
        ]  # fmt: skip

    @property
    def connections(self) -> Int64:
        """(questions, 2) Connections of the questions and of their answers, among all; -1 for none."""
        context = self._context
        of = context.connection_id(context.hops["connection"][context.packet_start[:-1]])
        found = [[of[one.journey], -1 if one.answer is None else of[one.answer]] for one in self._own]
        return np.array(found, np.int64).reshape(-1, 2)

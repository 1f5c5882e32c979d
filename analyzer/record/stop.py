"""What ends a recording from outside: Ctrl-C, a terminal that is gone, whoever sends a signal."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Stop:
    """
    Hears of signals, of which the first ends a recording, and a second one what is still asked afterwards.

    A handler runs between any two steps of what it interrupts, which may hold a lock: here nothing takes one.
    """

    def __init__(self) -> None:
        self.number: signal.Signals | None = None
        """The first."""
        self.urgent = False
        """There was a second one."""

    @property
    def asked(self) -> bool:
        """Tell whether there was one."""
        return self.number is not None

    def ask(self, number: int = signal.SIGINT) -> None:
        """Take note of a signal."""
        self.urgent = self.asked
        self.number = self.number or signal.Signals(number)

    def wait(self, seconds: float) -> bool:
        """Wait so long, if there was no signal before; tell whether there was one."""
        if not self.asked:
            time.sleep(seconds)
        return self.asked

    @contextmanager
    def heard(self) -> Iterator[None]:
        """
        Hear signals meanwhile, also where a shell that runs this in its background had them ignored or blocked.

        A hangup that is ignored stays so: that is what nohup(1) is for.
        """
        kept = {number: signal.getsignal(number) for number in SIGNALS}
        heard = [number for number in SIGNALS if number != signal.SIGHUP or kept[number] != signal.SIG_IGN]
        blocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, heard)
        try:
            for number in heard:
                signal.signal(number, lambda number, _: self.ask(number))
            yield
        finally:
            for number in heard:
                signal.signal(number, kept[number])
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

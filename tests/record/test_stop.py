"""Signals that end a recording: heard whatever was inherited, and passed on to nobody afterwards."""

import os
import signal
import subprocess
import sys

import pytest

from analyzer.record.stop import SIGNALS, Stop

FLOOD = """
import os, signal, threading
from analyzer.record.stop import Stop

def flood():
    for _ in range(100_000):
        os.kill(os.getpid(), signal.SIGTERM)

stop = Stop()
with stop.heard():
    sender = threading.Thread(target=flood)
    sender.start()
    while sender.is_alive():
        stop.wait(0)
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_heard(number: signal.Signals) -> None:
    """The first one asks for the end, the second one is urgent; the first one is remembered."""
    stop = Stop()
    with stop.heard():
        before = stop.asked
        os.kill(os.getpid(), number)
        first = (stop.wait(5), stop.urgent, stop.number)
        os.kill(os.getpid(), signal.SIGTERM)

    assert before is False
    assert first == (True, False, number)
    assert (stop.urgent, stop.number) == (True, number)


def test_what_was_set_before_is_set_again() -> None:
    """Handlers, and signals that were blocked."""
    kept = [signal.getsignal(number) for number in SIGNALS]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with Stop().heard():
            inside = signal.pthread_sigmask(signal.SIG_BLOCK, set())
        after = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    assert signal.SIGTERM not in inside
    assert signal.SIGTERM in after
    assert [signal.getsignal(number) for number in SIGNALS] == kept


@pytest.mark.parametrize(("number", "heard"), [(signal.SIGINT, True), (signal.SIGQUIT, True), (signal.SIGHUP, False)])
def test_signals_that_were_ignored(number: signal.Signals, heard: bool) -> None:
    """A shell ignores Ctrl-C for what runs in its background; whoever ignores a hangup wants it to go on."""
    before = signal.signal(number, signal.SIG_IGN)
    stop = Stop()
    try:
        with stop.heard():
            os.kill(os.getpid(), number)
            stop.wait(0.01)
    finally:
        signal.signal(number, before)

    assert stop.asked is heard


def test_nobody_asks() -> None:
    """Waiting ends in time."""
    assert Stop().wait(0.001) is False


def test_signals_at_any_moment() -> None:
    """Whatever is under way when one comes, nothing waits for itself: a recording would have no end."""
    done = subprocess.run([sys.executable, "-c", FLOOD], capture_output=True, text=True, timeout=120, check=False)

    assert (done.returncode, done.stderr) == (0, "")

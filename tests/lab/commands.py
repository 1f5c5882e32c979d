"""Running programs, in network namespaces too."""

import subprocess
from collections.abc import Sequence


class LabError(Exception):
    """A program that the lab needs failed; the message has its command and what it said."""


def run(*command: str, check: bool = True, timeout: float = 120) -> str:
    """Run a program and return its stdout."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise LabError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def inside(namespace: str, *command: str) -> tuple[str, ...]:
    """Return the command that runs *command* in a named network namespace."""
    return ("ip", "netns", "exec", namespace, *command)


def start(command: Sequence[str], **options: object) -> "subprocess.Popen[str]":
    """Start a program in the background, with its stderr piped."""
    return subprocess.Popen(command, text=True, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]

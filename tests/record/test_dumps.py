"""What is recorded of a host: commands that ask of several interfaces."""

import re
import subprocess

import pytest

from analyzer.record.dumps import FOR_PEOPLE, HOST, OPTIONAL

EACH = {file: command for file, command in FOR_PEOPLE if file in ("tc-class.txt", "tc-filter.txt", "ethtool.txt")}


@pytest.mark.live
@pytest.mark.parametrize(
    ("file", "links"),
    [("ethtool.txt", {"lo", "va", "vb"}), ("tc-filter.txt", {"va", "vb"}), ("tc-class.txt", {"vb"})],
)
def test_each_interface_is_asked_of(file: str, links: set[str]) -> None:
    """Under its name, in a namespace with a veth; for filters and classes those that can have some."""
    made = (
        "mount -t sysfs none /sys; ip link add va type veth peer name vb; ip link set va up; "
        "tc qdisc add dev va clsact; tc qdisc add dev vb ingress; tc qdisc add dev vb root htb; "
        "tc qdisc add dev lo root pfifo"
    )
    command = ["unshare", "-nm", "sh", "-c", f'{made}; exec "$@"', "sh", *EACH[file]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert set(re.findall(r"^(?:== |Features for )(\w+):?$", done.stdout, re.MULTILINE)) == links
    assert done.stderr == ""


@pytest.mark.parametrize("file", EACH)
def test_a_program_that_is_not_there_is_no_failure(file: str) -> None:
    """The shell says 127, as for any other program."""
    shell, *words = EACH[file]
    done = subprocess.run(["/bin/sh", *words], capture_output=True, timeout=60, env={"PATH": "/nowhere"}, check=False)

    assert (shell, done.returncode, done.stdout) == ("sh", 127, b"")


def test_no_file_has_two_commands() -> None:
    """One would write over the other."""
    files = [file for file, _ in (*HOST, *OPTIONAL, *FOR_PEOPLE)]

    assert len(set(files)) == len(files)

"""A shell in the rebuilt host, or in one of its containers, to try things by hand; all of it vanishes on exit.

The outer ends of containers' interfaces become their eth0, with address and default route; the world outside has every
address that nobody else has, and answers pings.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any

from analyzer.errors import SelectionError, ToolError
from analyzer.model import Container, HostState, mac_text
from analyzer.replay.box import INSIDE, interpreter, unshared
from analyzer.replay.plan import NAME, Plan, plan

SHELLS = ("/bin/bash", "/bin/sh")


def open_shell(host: HostState, container: str | None, ports: dict[str, tuple[str, str | None]]) -> int:
    """
    Build a host and wait for somebody who tries things in it.

    Args:
        host: what was recorded.
        container: whose shell it shall be; None for the host's.
        ports: the host's end of each container's interface and its bridge, by the container's name.

    Returns:
        The shell's exit code.

    Raises:
        SelectionError: there is no such container, or its interface is not known.
        ToolError: no host can be built here.
    """
    # Neighbours that answer are asked anew: the world has other MACs than the recorded one.
    built = plan(replace(host, neighbours=()), list(ports.values()))
    plugged = {one.name: found for one in host.containers if (found := _plug(host, built, one, ports)) is not None}
    if container is not None and container not in plugged:
        names = ", ".join(sorted(plugged)) or "none"
        raise SelectionError(f"no container {container} that could be built; there are: {names}")
    shell = next((path for path in SHELLS if os.access(path, os.X_OK)), SHELLS[-1])
    question = built.as_told() | {
        "shell": container or "", "containers": plugged, "world": list(_world(host, built, plugged)),
        "command": [shell], "greeting": _greeting(container, built),
    }  # fmt: skip
    return _run(question)


def _run(question: dict[str, Any]) -> int:
    asked, theirs = os.pipe()
    ours, answer = os.pipe()
    words = [*unshared(), "--", interpreter(), "-I", str(INSIDE), str(asked), str(answer)]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": os.environ.get("TERM", "dumb"), "HOME": "/"}
    process = subprocess.Popen(words, env=environment, pass_fds=(asked, answer))
    os.close(asked)
    os.close(answer)
    with os.fdopen(theirs, "wb") as to, os.fdopen(ours, "rb") as back:
        with suppress(BrokenPipeError):
            to.write(json.dumps(question).encode() + b"\n")
            to.flush()
        told = json.loads(back.readline() or b'{"problem": "it ended without a word"}')
        if "problem" in told:
            process.wait()
            raise ToolError(f"the host cannot be built here: {told['problem']}")
        for line in told["failed"]:
            sys.stderr.write(f"not built: {line}\n")
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # is for what runs in the shell
                continue


def _plug(
    host: HostState, built: Plan, container: Container, ports: dict[str, tuple[str, str | None]]
) -> dict[str, Any] | None:
    """Say how a container is plugged in: by the outer end of its interface, as eth0."""
    name = ports.get(container.name, (None, None))[0]
    name = name or next((entry.dev for entry in host.fdb if entry.mac == container.mac and not entry.permanent), None)
    peer = built.peers.get(name or "")
    network = next((one for one in host.networks if one.name == container.network), None)
    if peer is None or network is None or not container.addresses:
        return None
    commands: list[list[str]] = []
    if container.mac is not None:
        commands.append(["ip", "link", "set", "dev", "eth0", "address", mac_text(container.mac)])
    for ip in container.addresses:
        subnet = next((one for one in network.subnets if ip in one), None)
        length = subnet.prefixlen if subnet is not None else ip.max_prefixlen
        commands.append(["ip", "addr", "add", f"{ip}/{length}", "dev", "eth0", *(["nodad"] if ip.version == 6 else [])])
    commands.append(["ip", "link", "set", "dev", "eth0", "arp", "on", "multicast", "on", "promisc", "off", "up"])
    commands += [["ip", "route", "add", "default", "via", str(gateway)] for gateway in network.gateways]
    return {"peer": peer, "commands": commands}


def _world(host: HostState, built: Plan, plugged: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Say what the world outside has: all addresses, and ways back to the host by each interface."""
    taken = {one["peer"] for one in plugged.values()}
    commands = [["ip", "link", "set", "dev", "lo", "up"]]
    for link in host.links:
        peer = built.peers.get(link.name)
        if peer is None or peer in taken or link.master is not None or not NAME.fullmatch(link.name):
            continue
        commands.append(["ip", "link", "set", "dev", peer, "arp", "on"])
        commands += [["ip", "route", "add", str(ip), "dev", peer] for ip in link.addresses if not ip.is_link_local]
    # A reply's source must be in table local (__ip_dev_find), so that table is asked behind the ways to the host.
    commands.append(["ip", "route", "add", "local", "default", "dev", "lo", "table", "local"])
    commands += [["ip", "rule", "add", "pref", "2", "lookup", "local"], ["ip", "rule", "del", "pref", "0"]]
    commands.append(["ip", "rule", "add", "pref", "1", "lookup", "main"])
    return commands


def _greeting(container: str | None, built: Plan) -> str:
    where = f"container {container}" if container is not None else "the rebuilt host"
    lines = [f"This is a shell in {where}: a namespace on this machine. All of it vanishes with exit."]
    return "\n".join([*lines, *(f"not built: {line}" for line in built.missing)])

"""Records a host's state: the output of each command, in a file of its own. Nothing here changes the host."""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import MsgspecError

from analyzer.errors import ToolError
from analyzer.model.engine import CRI, DOCKER
from analyzer.record import inside
from analyzer.record.choose import present
from analyzer.record.dumps import (
    FOR_PEOPLE,
    HOST,
    NETWORK,
    OPTIONAL,
    OVERLAY,
    Dump,
    about_engine,
    containers_of,
    networks_of,
    version_of,
)
from analyzer.record.inspected import KEEP, public
from analyzer.record.machine import Deadline, Machine, open_new
from analyzer.state.cri import as_inspected

TIME_S = 20
"""For all dumps together."""
AT_ONCE = 4
NOT_IN_USE = (127, 252, 36)
"""How an optional program ends that is not there, or whose service does not run (firewalld's firewall/errors.py)."""
INSIDE = "containers"
OVERLAYS = "overlays"
"""The folders of those of containers' and of overlay networks' namespaces."""


def collect(
    machine: Machine,
    folder: Path,
    deadline: Deadline,
    first: Sequence[str] = (),
    spaces: Sequence[inside.Running] = (),
    *,
    by_engine: bool = True,
) -> list[str]:
    """
    Write what every command says into a new *folder*, a file each, whole or not at all.

    Args:
        machine: whose state it is.
        folder: must not be there yet; containers have folders of their own in it.
        deadline: for all together.
        first: the containers that matter most, if there are very many.
        spaces: namespaces of no engine, which are recorded as containers' are.
        by_engine: an engine that does not answer is missed, if no other one does.

    Returns:
        What could not be recorded, in the order of the files: no failure costs more than its own dump.
    """
    try:
        folder.mkdir()
    except OSError as error:
        return [f"{folder.name}: {error.strerror}"]

    def dump(file: str, command: tuple[str, ...]) -> str | None:
        def ask() -> None:
            text = _say(machine, deadline, command)
            _save(folder / file, public(text, file) if file in KEEP else text)

        return _guarded(file, ask)

    def optional(file: str, command: tuple[str, ...]) -> str | None:
        done = machine.run(*command, deadline=deadline)
        if done.code in NOT_IN_USE or (not done.code and not done.out):
            return None
        if done.code:
            return f"{file}: {command[0]}: {done.reason}"
        return _guarded(file, lambda: _save(folder / file, public(done.out, file) if file in KEEP else done.out))

    def listed(file: str, listing: tuple[str, ...], inspect: tuple[str, ...]) -> str | None:
        def ask() -> None:
            ids = _say(machine, deadline, listing).split()
            if ids:
                _save(folder / file, public(_say(machine, deadline, (*inspect, *ids)), file))

        return _guarded(file, ask)

    def within(kind: str, spaces: list[inside.Running], dumps: Sequence[Dump]) -> str | None:
        def ask() -> None:
            for name, file, text in inside.ask(machine, deadline, spaces, dumps):
                place = folder / kind / name
                place.mkdir(parents=True, exist_ok=True)
                _save(place / file, text)

        return _guarded(kind, ask)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        versions = {one.name: pool.submit(dump, *version_of(one.name)) for one in present(machine)}
        dumped = [pool.submit(dump, *one) for one in HOST]
        dumped += [pool.submit(optional, *one) for one in (*OPTIONAL, *FOR_PEOPLE)]
        answering = [name for name, version in versions.items() if version.result() is None]
        of_containers = [containers_of(one) for one in answering]
        of_networks = [one for one in map(networks_of, answering) if one is not None]
        containers = [pool.submit(listed, *one) for one in of_containers]  # their own dumps wait for it
        networks = [pool.submit(listed, *one) for one in of_networks]
        dumped += [pool.submit(dump, *one) for engine in answering for one in about_engine(engine)]
        for one in containers:
            one.result()
        found = [one for engine in answering for one in _running(engine, folder, first)]
        running = [*spaces, *inside.apart(machine, deadline, found[: inside.MOST])]
        parts = [running[start::AT_ONCE] for start in range(AT_ONCE)]
        entered = [pool.submit(within, INSIDE, part, NETWORK) for part in parts if part]
        for one in networks:
            one.result()
        overlays = _overlays(folder) if DOCKER in answering else []
        entered += [pool.submit(within, OVERLAYS, overlays, OVERLAY)] if overlays else []
        alone = by_engine and not answering
        missed = [versions[name] for name in versions if alone or _was_there(folder, name)]
        problems = [one.result() for one in (*missed, *dumped, *containers, *networks, *entered)]
    return [f"{folder.name}/{problem}" for problem in dict.fromkeys(problems) if problem is not None]


def _was_there(folder: Path, engine: str) -> bool:
    """Tell whether an engine answered before; of several that are installed, those in use are missed."""
    return (folder.with_name(f"{folder.name}-before") / version_of(engine)[0]).is_file()


def _running(engine: str, folder: Path, first: Sequence[str]) -> list[inside.Running]:
    """Return whose namespaces to enter, as their engine has just told."""
    try:
        told = json.loads((folder / containers_of(engine)[0]).read_text())
        return inside.running(as_inspected(told) if engine == CRI else told, first)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, MsgspecError):
        return []  # what could not be recorded is told already


def _overlays(folder: Path) -> list[inside.Running]:
    """Return the overlay networks that Docker has just told of, likewise."""
    containers, networks = folder / "docker-inspect.json", folder / "docker-network-inspect.json"
    try:
        known = json.loads(containers.read_text()) if containers.exists() else []
        return inside.overlays(json.loads(networks.read_text()), known)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _guarded(file: str, work: Callable[[], None]) -> str | None:
    """Return why *work* failed, whatever that is; None if it did not."""
    try:
        work()
    except ToolError as error:
        return f"{file}: {error}"
    except OSError as error:
        return f"{file}: {error.strerror}"
    except Exception as error:
        return f"{file}: {type(error).__name__}: {error}"
    return None


def _say(machine: Machine, deadline: Deadline, command: tuple[str, ...]) -> str:
    done = machine.run(*command, deadline=deadline)
    if done.code:
        raise ToolError(f"{command[0]}: {done.reason}")
    return done.out


def _save(path: Path, text: str) -> None:
    """Write a new file, which has its name only when it is complete."""
    hidden = path.with_name(f".{path.name}")
    with os.fdopen(open_new(hidden), "w", encoding="utf-8", errors="replace") as out:
        out.write(text)
    hidden.replace(path)

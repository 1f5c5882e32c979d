"""Dumps of a host's state written anew: what hoptrace reads of them, with addresses, ids and names replaced.

Of what engines tell, only what is read goes on: no environment, no command, no mount, no label but those that name a
service or an app.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import msgspec

from analyzer.anonymise.words import Words
from analyzer.state import docker, podman
from analyzer.state.cri import APPS, Pod, documents
from analyzer.state.drops import parse_drops
from analyzer.state.dumps import MAX_DUMP, NAMES
from analyzer.state.happened import BACK, ENDS
from analyzer.state.load import LONGEST_EVENT
from analyzer.state.retis import Event

COUNTERS = {
    "nstat.txt": re.compile(r"#kernel|\w+ +-?\d+ +[\d.]+"),
    "conntrack-stats.txt": re.compile(r"(?:\w+=\d+\s*)+"),
    "softnet_stat.txt": re.compile(r"[0-9a-f ]+"),
    "nfnetlink_queue.txt": re.compile(r"[\d ]+(?:/proc/net/netfilter/nfnetlink_queue)?"),
}
"""Dumps of nothing but the kernel's own words, and numbers: what each line is."""
LABELS = (docker.SERVICE, *APPS)
OPTIONS = (
    docker.BRIDGE_NAME, docker.MASQUERADE, docker.INHIBIT, *(docker.GATEWAY_MODE.format(version=v) for v in (4, 6)),
    "parent", "mode", *(f"{driver}_mode" for driver in docker.USUAL_MODE),
)  # fmt: skip
"""Of networks' drivers, those that are read."""
ATTRIBUTES = ("name", "container", "exitCode")
"""Of Docker's events."""
READ: dict[str, type[msgspec.Struct]] = {
    **{f"{engine}-inspect.json": docker.InspectedContainer for engine in ("docker", "podman", "nerdctl")},
    **{f"{engine}-network-inspect.json": docker.InspectedNetwork for engine in ("docker", "nerdctl")},
    "podman-network-inspect.json": podman.InspectedNetwork,
    "crictl-inspect.json": Pod,
}
"""What is read of each entry of a list."""


class Dumps:
    """How dumps are written anew."""

    def __init__(self, words: Words) -> None:
        """Take what replaces names, and addresses in texts."""
        self._words = words

    def write(self, source: Path, target: Path) -> str | None:
        """
        Write a dump of *source* to *target*; what is none is left out, and one that cannot be read.

        Returns:
            Why it was left out, if it would have been read.

        Raises:
            OSError: it cannot be read, or not be written.
        """
        if source.name not in NAMES:
            return None
        if source.name.startswith("conntrack") and source.name not in COUNTERS:
            self.write_lines(source, target, self._words.text)
            return None
        if source.stat().st_size > MAX_DUMP:
            return f"{source.name}: larger than {MAX_DUMP >> 20} MiB"
        text = source.read_text(encoding="utf-8", errors="replace")
        try:
            target.write_text(self._told(source.name, text), encoding="utf-8")
        except (ValueError, msgspec.MsgspecError, RecursionError):
            return f"{source.name}: not as its command prints it"
        return None

    def write_lines(self, source: Path, target: Path, line: Callable[[str], str]) -> None:
        """Write what *line* makes of each line of a long file."""
        with source.open(encoding="utf-8", errors="replace") as given, target.open("w", encoding="utf-8") as out:
            out.writelines(told + "\n" for told in map(line, _lines(given)) if told)

    def event(self, line: str) -> str:
        """Return one of Docker's events, if it is read; else nothing."""
        try:
            told = json.loads(line)
            what, actor = (told["Type"], told["Action"]), told["Actor"]["Attributes"]
            if what not in ENDS and what not in BACK:
                return ""
            named = {name: self._words.text(str(actor[name])) for name in ATTRIBUTES if name in actor}
            kept = {"Type": what[0], "Action": what[1], "timeNano": int(told["timeNano"])}
            return json.dumps(kept | {"Actor": {"Attributes": named}})
        except (ValueError, TypeError, KeyError, RecursionError):
            return ""

    def drop(self, line: str) -> str:
        """Return a line of the kernel's drops: reasons and functions are its own, interfaces are named by somebody."""
        words = line.split()
        drops, lost = parse_drops([line])
        if drops:
            return " ".join([*words[:4], *map(self._words.text, words[4:])])
        return f"lost {lost}" if lost else ""

    def retis(self, line: str) -> str:
        """Return events of retis, as far as they are read."""
        try:
            told = msgspec.json.decode(line, type=Event | list[Event])
        except (msgspec.MsgspecError, RecursionError):
            return ""
        events = told if isinstance(told, list) else [told]
        for event in events:
            for one, name in ((event.skb, "dev_name"), (event.dev, "name")):
                if one is not None:
                    setattr(one, name, self._words.text(getattr(one, name)))
        return msgspec.json.encode(told).decode()

    def _told(self, name: str, text: str) -> str:
        if name in COUNTERS:
            return "".join(f"{line}\n" for line in text.splitlines() if COUNTERS[name].fullmatch(line))
        if name in READ:
            entries = documents(text) if text.strip() else []
            kind: Any = list[READ[name]]  # type: ignore[valid-type]
            read = msgspec.convert(entries, kind)
            told = msgspec.json.encode(self._value(read))
            return msgspec.json.format(told, indent=1).decode() + "\n"
        if name == "daemon.json":
            return json.dumps({"iptables": docker.parse_makes_rules(text)}) + "\n" if text.strip() else text
        if not name.endswith(".json"):
            return "".join(self._words.text(line) for line in text.splitlines(keepends=True))
        return json.dumps(self._value(json.loads(text))) + "\n" if text.strip() else text

    def _value(self, value: Any) -> Any:
        """Replace texts in what was read of JSON; its fields keep their names, and so do those of the kernel's."""
        if isinstance(value, str):
            return self._words.text(value)
        if isinstance(value, list):
            return [self._value(one) for one in value]
        if isinstance(value, dict):
            return {key: self._value(one) for key, one in value.items()}
        if isinstance(value, msgspec.Struct):
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **{name: self._member(name, one) for name, one in fields.items()})
        return value

    def _member(self, name: str, value: Any) -> Any:
        """Replace a field's value; where it is what somebody named, by names, these are replaced as well."""
        if not isinstance(value, dict):
            return self._value(value)
        if name == "labels":
            return {label: self._value(one) for label, one in value.items() if label in LABELS}
        if name == "options":
            return {option: self._value(one) for option, one in value.items() if option in OPTIONS}
        return {self._words.text(key): self._value(one) for key, one in value.items()}


def _lines(file: TextIO) -> Iterator[str]:
    """Give a file's lines; one that never ends, in pieces."""
    return (line.rstrip("\n") for line in iter(partial(file.readline, LONGEST_EVENT), ""))

"""Answers as ``docker`` does, from what was made by hand: ``shim.py FOLDER ARGUMENT...``."""

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(folder: Path, words: list[str]) -> int:
    """Answer one command."""
    state = json.loads((folder / "state.json").read_text())
    containers, networks = state["containers"], state["networks"]
    kind, *rest = words
    if kind == "--version":
        print(f"Docker version {state['version']}, build 0000000")
    elif kind == "version":
        server = {"Client": {"Version": state["version"]}, "Server": {"Version": state["version"]}}
        print(json.dumps(server) if rest[-1] == "{{json .}}" else state["version"])
    elif kind == "info":
        print(json.dumps({"ServerVersion": state["version"], "Driver": "overlay2"}))
    elif kind == "ps":
        name = "Id" if "-aq" in rest else "Name"
        print("\n".join(one[name].lstrip("/") for one in containers))
    elif kind == "events":
        time.sleep(3600)
    elif kind == "network" and rest[0] == "ls":
        print("\n".join(one["Id"] for one in networks))
    elif "inspect" in words:
        return _inspect(networks if kind == "network" else containers, kind, rest)
    return 0


def _inspect(known: list[dict[str, Any]], kind: str, words: list[str]) -> int:
    asked = [word for word in words if word not in ("inspect", "--type", "container", "--")]
    found = [one for word in asked for one in known if word in (one["Id"], one["Name"].lstrip("/"))]
    if len(found) < len(asked):
        print(f"Error: No such {'network' if kind == 'network' else 'container'}: {asked[0]}", file=sys.stderr)
        return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

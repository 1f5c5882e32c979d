"""Answers as ``crictl`` does, from pods that were made by hand: ``crictl.py FOLDER ARGUMENT...``."""

import json
import sys
from pathlib import Path

VERSION = "Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  1.7.24\nRuntimeApiVersion:  v1"


def main(folder: Path, words: list[str]) -> int:
    """Answer one command; each pod has one container, ``NAME-main``."""
    pods = {pod["status"]["id"]: pod for pod in json.loads((folder / "pods.json").read_text())}
    kind, *rest = words
    if kind == "version":
        print(VERSION)
    elif kind == "pods":
        print("\n".join(pods))
    elif kind == "inspectp":
        told = [pods[word] for word in rest if word in pods]
        print(json.dumps(told[0] if len(told) == 1 else told, indent=2))
    elif kind == "ps":
        names = {identity: pod["status"]["metadata"]["name"] for identity, pod in pods.items()}
        print(json.dumps({"containers": [
            {"id": identity[::-1], "podSandboxId": identity, "metadata": {"name": f"{name}-main", "attempt": 0}}
            for identity, name in names.items()
        ]}))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

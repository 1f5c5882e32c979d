"""A host with Podman instead of Docker: netavark's networks and rules, by nftables."""

import shutil
import subprocess
import time

from tests.lab.commands import LabError, inside, run
from tests.lab.engine import Lab

HOLD = "mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec sleep infinity"
"""Keeps the mounts that Podman's commands have in common: of namespaces, of cgroups."""


class PodmanLab(Lab):
    """The lab's host, with rootful Podman."""

    def __init__(self) -> None:
        super().__init__()
        self.programs = self.folder / "bin"
        """A folder with ``podman``, for whoever is to find it: PATH begins with it."""

    def _start_engine(self) -> None:
        run(*inside(self.namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"))
        self._engine = subprocess.Popen(inside(self.namespace, "sh", "-c", HOLD), stdin=subprocess.DEVNULL)
        time.sleep(0.3)
        self.programs.mkdir()
        podman = shutil.which("podman")
        if podman is None:
            raise LabError("podman is missing")
        words = [*self._enter(), podman, *self._flags(), '"$@"']
        shim = self.programs / "podman"
        shim.write_text(f"#!/bin/sh\nexport PODMAN_IGNORE_CGROUPSV1_WARNING=1\nexec {' '.join(words)}\n")
        shim.chmod(0o755)

    def _enter(self) -> list[str]:
        assert self._engine is not None
        return ["nsenter", "-t", str(self._engine.pid), "-m", "-n", "--"]

    def _flags(self) -> list[str]:
        return [
            f"--root={self.folder}/root", f"--runroot={self.folder}/run", f"--network-config-dir={self.folder}/nets",
            f"--tmpdir={self.folder}/tmp",
            "--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=file",
        ]  # fmt: skip

    def docker(self, *arguments: str) -> str:
        """Run podman, which answers as docker does."""
        return run(str(self.programs / "podman"), *arguments)

    def run_container(self, name: str, *options: str) -> None:
        """Start a container that sleeps; its processes are in no cgroup of their own, as not every machine has any."""
        super().run_container(name, "--cgroups=disabled", *options)

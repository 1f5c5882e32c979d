"""A node as Kubernetes has them: pods on a CNI bridge, made by the real plugins, and rules as kube-proxy writes them.

kube-proxy itself is not in Debian; its chains are those of pkg/proxy/iptables/proxier.go. Nor is ``crictl``.
"""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.lab.commands import inside, run
from tests.lab.engine import Lab

PLUGINS = Path("/usr/lib/cni")
NETWORK = {
    "cniVersion": "1.0.0", "name": "pods", "type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True,
    "ipam": {"type": "host-local", "subnet": "10.244.1.0/24", "routes": [{"dst": "0.0.0.0/0"}]},
}  # fmt: skip
SERVICE, NODE_PORT = "10.96.0.10", 30080


class CniLab(Lab):
    """The lab's host, with pods; a container here is a network namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.programs = self.folder / "bin"
        self.addresses: dict[str, str] = {}
        self._told: dict[str, dict[str, object]] = {}
        """By pod: what ``crictl`` says of it."""
        self._pauses: list[subprocess.Popen[bytes]] = []
        """What holds each pod's namespace."""

    def start(self) -> None:
        """There is no runtime to start; what tells of one is made."""
        self.programs.mkdir()
        shim, told_by = self.programs / "crictl", Path(__file__).with_name("crictl.py")
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} {told_by} {self.folder} "$@"\n')
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
        run(*inside(self.namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
        run(*inside(self.namespace, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1"), check=False)

    def stop(self) -> None:
        """Remove all pods."""
        for name, pause in zip(self._told, self._pauses, strict=True):
            pause.kill()
            pause.wait()
            run("ip", "netns", "del", f"ht-pod-{name}", check=False)
        super().stop()

    def run_container(self, name: str, *options: str) -> None:
        """Make a pod: a namespace, which the plugin gives an interface."""
        space = f"ht-pod-{name}"
        run("ip", "netns", "del", space, check=False)
        run("ip", "netns", "add", space)
        self._pauses.append(subprocess.Popen(inside(space, "sleep", "infinity")))
        environment = ("env", "CNI_COMMAND=ADD", f"CNI_CONTAINERID={name}", f"CNI_NETNS=/var/run/netns/{space}",
                       "CNI_IFNAME=eth0", f"CNI_PATH={PLUGINS}")  # fmt: skip
        config = json.dumps({**NETWORK, "ipam": {**NETWORK["ipam"], "dataDir": f"{self.folder}/ipam"}})  # type: ignore[dict-item]
        done = subprocess.run(
            inside(self.namespace, *environment, str(PLUGINS / "bridge")), input=config, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        result = json.loads(done.stdout)
        self.addresses[name] = result["ips"][0]["address"].partition("/")[0]
        self._containers[name] = self._pauses[-1].pid
        self._told[name] = self._pod(name, result)
        (self.folder / "pods.json").write_text(json.dumps([*self._told.values()]))

    def _pod(self, name: str, made: Any) -> dict[str, object]:
        """Return what ``crictl inspectp`` tells of a pod on containerd (internal/cri/server/sandbox_status.go)."""
        configs = [{"IP": self.addresses[name], "Gateway": made["ips"][0]["gateway"]}]
        ends = {
            one["name"]: {"IPConfigs": configs if one.get("sandbox") else None, "Mac": one["mac"],
                          "Sandbox": one.get("sandbox", "")}
            for one in made["interfaces"]
        }  # fmt: skip
        labels = {"app": name, "io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "default"}
        return {
            "status": {
                "id": f"{name.encode().hex():0<64}", "createdAt": "2026-11-27T00:00:00.5Z", "state": "SANDBOX_READY",
                "metadata": {"attempt": 0, "name": name, "namespace": "default", "uid": f"{name:0>36}"},
                "network": {"additionalIps": [], "ip": self.addresses[name]}, "labels": labels,
                "linux": {"namespaces": {"options": {"ipc": "POD", "network": "POD", "pid": "CONTAINER"}}},
            },
            "info": {"pid": self._containers[name], "processStatus": "running", "cniResult": {"Interfaces": ends},
                     "runtimeSpec": {"process": {"env": ["TOKEN=secret"]}}},
        }  # fmt: skip

    def in_container(self, name: str) -> tuple[str, ...]:
        """Return the prefix that runs programs in a pod."""
        return inside(f"ht-pod-{name}")

    def serve_by(self, *pods: str) -> None:
        """Load kube-proxy's rules for a service of these pods, port 80, with a node port."""
        run(*inside(self.namespace, "sh", "-ec", f"iptables-restore --noflush <<'EOF'\n{self._rules(pods)}\nEOF\n"))

    def _rules(self, pods: tuple[str, ...]) -> str:
        names = ("SERVICES", "NODEPORTS", "POSTROUTING", "MARK-MASQ", "SVC-WEB", "EXT-WEB",
                 *(f"SEP-{pod.upper()}" for pod in pods))  # fmt: skip
        said = '-m comment --comment "default/web:http'
        portals, node = '-m comment --comment "kubernetes service portals"', f'{said}"'
        masked = '-m comment --comment "kubernetes service traffic requiring SNAT"'
        outside = '-m comment --comment "masquerade traffic for default/web:http external destinations"'
        last = '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"'
        to_service = f'-d {SERVICE}/32 -p tcp {said} cluster IP" -m tcp --dport 80'
        lines = [
            f"-A PREROUTING {portals} -j KUBE-SERVICES", f"-A OUTPUT {portals} -j KUBE-SERVICES",
            '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
            f"-A KUBE-SERVICES {to_service} -j KUBE-SVC-WEB",
            f"-A KUBE-SERVICES {last} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS",
            f"-A KUBE-NODEPORTS -p tcp {node} -m tcp --dport {NODE_PORT} -j KUBE-EXT-WEB",
            f"-A KUBE-EXT-WEB {outside} -j KUBE-MARK-MASQ",
            "-A KUBE-EXT-WEB -j KUBE-SVC-WEB", "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
            "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
            "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0",
            f"-A KUBE-POSTROUTING {masked} -j MASQUERADE --random-fully",
            f'-A KUBE-SVC-WEB ! -s 10.244.0.0/16 {to_service} -j KUBE-MARK-MASQ',
        ]  # fmt: skip
        for place, pod in enumerate(pods):
            left = len(pods) - place
            chance = f"-m statistic --mode random --probability {1 / left:.11f} " if left > 1 else ""
            to = f"{self.addresses[pod]}:80"
            lines += [
                f'-A KUBE-SVC-WEB {said} -> {to}" {chance}-j KUBE-SEP-{pod.upper()}',
                f"-A KUBE-SEP-{pod.upper()} -s {self.addresses[pod]}/32 {node} -j KUBE-MARK-MASQ",
                f"-A KUBE-SEP-{pod.upper()} -p tcp {node} -m tcp -j DNAT --to-destination {to}",
            ]
        return "\n".join(["*nat", *(f":KUBE-{name} - [0:0]" for name in names), *lines, "COMMIT"])

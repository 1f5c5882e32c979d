"""The hosts: ``dhost`` with a Docker Engine, its gateway, and an internet of three servers."""

import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.lab.commands import LabError, inside, run

HOST, GATEWAY, INTERNET = "ht-dhost", "ht-gw", "ht-inet"
SERVERS4 = ("8.8.8.8", "198.51.100.80", "203.0.113.53")
SERVER6 = "2001:db8::80"
CLIENT = "100.64.0.2"
"""The internet's own address: outside clients come from here."""
UPLINK = "wlan0"
IMAGE = "hoptrace/busybox:1"
PROGRAMS = (
    "dockerd", "docker", "busybox", "ip", "iptables", "nft", "conntrack", "tcpdump", "ethtool", "nsenter", "ping",
)  # fmt: skip
START_TIMEOUT_S = 60
SERVER_START_S = 0.4


def missing_programs() -> list[str]:
    """Return the programs that the lab needs and does not find."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class Lab:
    """Three hosts and a running Docker Engine; a context manager that leaves nothing behind."""

    def __init__(self, *, userland_proxy: bool = True) -> None:
        self._options = f"--userland-proxy={str(userland_proxy).lower()}"
        self.folder = Path(tempfile.mkdtemp(prefix="hoptrace-lab-"))
        self.socket = f"unix://{self.folder}/docker.sock"
        self._engine: subprocess.Popen[bytes] | None = None
        self._world: list[subprocess.Popen[bytes]] = []
        """Servers of the internet, for all scenarios."""
        self._servers: list[subprocess.Popen[bytes]] = []
        self._containers: dict[str, int] = {}

    def __enter__(self) -> "Lab":
        try:
            self._build_network()
            self._start_engine()
            self._import_image()
            self._start_servers()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything and remove it."""
        for name in self._containers:
            with suppress(LabError, subprocess.TimeoutExpired):
                self.docker("rm", "-f", name)
        self.stop_servers()
        for server in self._world:
            server.kill()
            server.wait()
        if self._engine is not None:
            self._engine.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._engine.wait(timeout=30)
            if self._engine.poll() is None:
                self._engine.kill()
                self._engine.wait()
        for namespace in (HOST, GATEWAY, INTERNET):
            run("ip", "netns", "del", namespace, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _build_network(self) -> None:
        for namespace in (HOST, GATEWAY, INTERNET):
            run("ip", "netns", "del", namespace, check=False)
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        self._link((HOST, UPLINK, "3c:22:fb:10:20:30"), (GATEWAY, "lan0", "00:1d:aa:01:02:03"))
        self._link((GATEWAY, "wan0", "00:1d:aa:01:02:04"), (INTERNET, "eth0", "52:54:00:00:00:01"))
        for namespace, device, *addresses in (
            (HOST, UPLINK, "192.168.1.100/24", "fd00:1::100/64"),
            (GATEWAY, "lan0", "192.168.1.1/24", "fd00:1::1/64"),
            (GATEWAY, "wan0", "100.64.0.1/24", "fd00:2::1/64"),
            (INTERNET, "eth0", f"{CLIENT}/24", "fd00:2::2/64"),
            (INTERNET, "lo", *(f"{ip}/32" for ip in SERVERS4), f"{SERVER6}/128"),
        ):
            for address in addresses:
                nodad = ("nodad",) if ":" in address else ()
                run("ip", "-n", namespace, "addr", "add", address, "dev", device, *nodad)
        for namespace, gateway4, gateway6 in (
            (HOST, "192.168.1.1", "fd00:1::1"),
            (INTERNET, "100.64.0.1", "fd00:2::1"),
        ):
            run("ip", "-n", namespace, "route", "add", "default", "via", gateway4)
            run("ip", "-n", namespace, "-6", "route", "add", "default", "via", gateway6)
        for ip in SERVERS4:
            run("ip", "-n", GATEWAY, "route", "add", ip, "via", CLIENT)
        run("ip", "-n", GATEWAY, "-6", "route", "add", SERVER6, "via", "fd00:2::2")
        for setting in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"):
            run(*inside(GATEWAY, "sysctl", "-qw", setting))

    def _link(self, one: tuple[str, str, str], two: tuple[str, str, str]) -> None:
        (space1, name1, mac1), (space2, name2, mac2) = one, two
        run("ip", "-n", space1, "link", "add", name1, "address", mac1, "type", "veth",
            "peer", "name", name2, "address", mac2, "netns", space2)  # fmt: skip
        for namespace, name in ((space1, name1), (space2, name2)):
            run("ip", "-n", namespace, "link", "set", name, "up")

    def _start_engine(self) -> None:
        run(*inside(HOST, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"))
        data, log = self.folder, (self.folder / "dockerd.log").open("wb")
        engine = (
            f"mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec dockerd --data-root {data}/data --exec-root {data}/exec "
            f"-H {self.socket} --pidfile {data}/pid --storage-driver vfs --experimental --ip6tables --log-level warn "
            f"{self._options}"
        )
        self._engine = subprocess.Popen(
            inside(HOST, "sh", "-c", engine), stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        log.close()
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._engine.poll() is not None:
                break
            try:
                self.docker("version")
                return
            except LabError:
                time.sleep(0.2)
        raise LabError(f"dockerd did not start: {(self.folder / 'dockerd.log').read_text()[-2000:]}")

    def _import_image(self) -> None:
        root = self.folder / "image" / "bin"
        root.mkdir(parents=True)
        busybox = shutil.which("busybox")
        if busybox is None:
            raise LabError("busybox is missing")
        shutil.copy(busybox, root / "busybox")
        for name in ("sh", "sleep", "ping", "wget", "nc", "ip"):
            (root / name).symlink_to("busybox")
        archive = self.folder / "image.tar"
        run("tar", "-C", str(root.parent), "-cf", str(archive), ".")
        self.docker("import", str(archive), IMAGE)

    def _start_servers(self) -> None:
        datagrams = [("udp", "53", address) for address in (*SERVERS4, SERVER6)]
        for arguments in (("http", "80"), ("tcp", "7"), *datagrams):
            self._world.append(self._peer(inside(INTERNET), "serve", *arguments))
        time.sleep(SERVER_START_S)

    def _peer(self, where: tuple[str, ...], *arguments: str) -> "subprocess.Popen[bytes]":
        peers = Path(__file__).with_name("peers.py")
        return subprocess.Popen([*where, "python3", str(peers), *arguments], stdin=subprocess.DEVNULL)

    def docker(self, *arguments: str) -> str:
        """Run the Docker client against the lab's engine."""
        return run("docker", "-H", self.socket, *arguments)

    def run_container(self, name: str, *options: str) -> None:
        """Start a container that sleeps."""
        self.docker("run", "-d", "--name", name, *options, IMAGE, "sleep", "100000")
        self._containers[name] = int(self.docker("inspect", "-f", "{{.State.Pid}}", name))

    def remove_container(self, name: str) -> None:
        """Remove a container."""
        self.docker("rm", "-f", name)
        del self._containers[name]

    def containers(self) -> list[str]:
        """Return the names of running containers."""
        return list(self._containers)

    def in_container(self, name: str) -> tuple[str, ...]:
        """Return the prefix that runs the machine's own programs in a container's network."""
        return ("nsenter", "-t", str(self._containers[name]), "-n")

    def exec(self, name: str, *command: str, check: bool = True) -> str:
        """Run a program of the machine in a container's network."""
        return run(*self.in_container(name), *command, check=check)

    def start_server(self, where: tuple[str, ...], *arguments: str) -> None:
        """Start a server of ``peers.py``; it runs until the scenario ends."""
        self._servers.append(self._peer(where, "serve", *arguments))
        time.sleep(SERVER_START_S)

    def stop_servers(self) -> None:
        """Stop the scenario's servers."""
        for server in self._servers:
            server.kill()
            server.wait()
        self._servers.clear()

    def talk(self, where: tuple[str, ...], *arguments: str) -> None:
        """Run a client of ``peers.py``."""
        run(*where, "python3", str(Path(__file__).with_name("peers.py")), "talk", *arguments)

    def host_veth(self, name: str) -> str:
        """Return the name of the host's end of a container's veth pair."""
        text = self.exec(name, "ip", "-o", "link", "show", "eth0")
        index = text.split("@if", 1)[1].split(":", 1)[0]
        for line in run("ip", "-n", HOST, "-o", "link").splitlines():
            number, device = line.split(":", 2)[:2]
            if number == index:
                return device.strip().split("@")[0]
        raise LabError(f"no interface {index} on the host")

    def forget_neighbours(self) -> None:
        """Empty all ARP and NDP caches, and conntrack's table."""
        for namespace in (HOST, GATEWAY, INTERNET):
            run(*inside(namespace, "ip", "neigh", "flush", "all"))
        for name in self._containers:
            self.exec(name, "ip", "neigh", "flush", "all")
        run(*inside(HOST, "conntrack", "-F"), check=False)

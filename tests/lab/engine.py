"""The hosts: ``dhost`` with a Docker Engine, its gateway, and an internet of three servers."""

import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.lab.commands import LabError, inside, run

HOST, HOST2, GATEWAY, INTERNET = "ht-dhost", "ht-dhost2", "ht-gw", "ht-inet"
SERVERS4 = ("8.8.8.8", "198.51.100.80", "203.0.113.53")
SERVER6 = "2001:db8::80"
CLIENT = "100.64.0.2"
"""The internet's own address: outside clients come from here."""
UPLINK = "wlan0"
IMAGE = "hoptrace/busybox:1"
START_TIMEOUT_S = 60


class Engine:
    """One Docker Engine in a network namespace of its own, and its containers."""

    def __init__(self, namespace: str, *options: str) -> None:
        self.namespace = namespace
        self._options = options
        self.folder = Path(tempfile.mkdtemp(prefix="hoptrace-lab-"))
        self.socket = f"unix://{self.folder}/docker.sock"
        self._engine: subprocess.Popen[bytes] | None = None
        self._servers: list[subprocess.Popen[bytes]] = []
        self._containers: dict[str, int] = {}

    def start(self) -> None:
        """Start the engine, and give it an image."""
        self._start_engine()
        self._import_image()

    def stop(self) -> None:
        """Stop everything and remove it."""
        for name in self._containers:
            with suppress(LabError, subprocess.TimeoutExpired):
                self.docker("rm", "-f", name)
        self.stop_servers()
        if self._engine is not None:
            self._engine.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._engine.wait(timeout=30)
            if self._engine.poll() is None:
                self._engine.kill()
                self._engine.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_engine(self) -> None:
        run(*inside(self.namespace, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"))
        data, log = self.folder, (self.folder / "dockerd.log").open("wb")
        engine = (
            f"mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec dockerd --data-root {data}/data --exec-root {data}/exec "
            f"-H {self.socket} --pidfile {data}/pid --storage-driver vfs --log-level warn {' '.join(self._options)}"
        )
        self._engine = subprocess.Popen(
            inside(self.namespace, "sh", "-c", engine), stdout=log, stderr=log, stdin=subprocess.DEVNULL
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

    def signal_engine(self, number: signal.Signals) -> None:
        """Send the engine a signal."""
        assert self._engine is not None
        self._engine.send_signal(number)

    def kill_engine(self) -> None:
        """Kill the engine, as if it had crashed."""
        self.signal_engine(signal.SIGKILL)
        assert self._engine is not None
        self._engine.wait()

    def revive(self) -> None:
        """Start an engine again that was killed; what ran in its containers is gone."""
        (self.folder / "pid").unlink(missing_ok=True)
        self._start_engine()
        for name in self._containers:
            self.docker("rm", "-f", name)
        self._containers.clear()

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

    @staticmethod
    def _server(where: tuple[str, ...], *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a server of ``peers.py``, and wait until it listens."""
        command = [*where, "python3", str(Path(__file__).with_name("peers.py")), "serve", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout as told:
            told.readline()
        return process

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
        self._servers.append(self._server(where, *arguments))

    def stop_servers(self) -> None:
        """Stop the scenario's servers."""
        for server in self._servers:
            server.kill()
            server.wait()
        self._servers.clear()

    def flood(self, *floods: tuple[tuple[str, ...], str, int]) -> None:
        """Send equal datagrams from many ports, from several places at once: where, address, count."""
        peers = str(Path(__file__).with_name("peers.py"))
        started = [
            subprocess.Popen([*where, "python3", peers, "flood", address, "53", str(count)])
            for where, address, count in floods
        ]
        for process in started:
            if process.wait(timeout=60):
                raise LabError("a flood failed")

    def move_container(self, name: str) -> None:
        """Restart a container after another one took its address."""
        self.docker("stop", "-t", "0", name)
        self.run_container("squatter")
        self.docker("start", name)
        self._containers[name] = int(self.docker("inspect", "-f", "{{.State.Pid}}", name))

    def restart_container(self, name: str) -> None:
        """Restart a container; Docker gives it a new network namespace."""
        self.docker("restart", "-t", "0", name)
        self._containers[name] = int(self.docker("inspect", "-f", "{{.State.Pid}}", name))

    def talk(self, where: tuple[str, ...], *arguments: str) -> None:
        """Run a client of ``peers.py``."""
        run(*where, "python3", str(Path(__file__).with_name("peers.py")), "talk", *arguments)

    def host_veth(self, name: str) -> str:
        """Return the name of the host's end of a container's veth pair."""
        text = self.exec(name, "ip", "-o", "link", "show", "eth0")
        index = text.split("@if", 1)[1].split(":", 1)[0]
        return self.link_name(run("ip", "-n", self.namespace, "-o", "link"), index)

    def forget_neighbours(self) -> None:
        """Empty the host's and the containers' ARP and NDP caches, and conntrack's table."""
        for where in (inside(self.namespace), *map(self.in_container, self._containers)):
            run(*where, "ip", "neigh", "flush", "all")
        run(*inside(self.namespace, "conntrack", "-F"), check=False)

    @staticmethod
    def link_name(listing: str, index: str) -> str:
        """Return the name of the interface with an index, from ``ip -o link``."""
        for line in listing.splitlines():
            number, device = line.split(":", 2)[:2]
            if number == index:
                return device.strip().split("@")[0]
        raise LabError(f"no interface {index}")

    def in_overlay(self, network: str) -> tuple[str, ...]:
        """Return the prefix that runs programs in an overlay network's namespace, where its bridge and VXLAN are."""
        identity = self.docker("network", "inspect", "-f", "{{.Id}}", network).strip()
        pid = (self.folder / "pid").read_text().strip()
        return ("nsenter", "-t", pid, "-m", "nsenter", f"--net={self.folder}/exec/netns/1-{identity[:10]}")


class Lab(Engine):
    """Three hosts and a running Docker Engine; a context manager that leaves nothing behind."""

    def __init__(self, *, userland_proxy: bool = True) -> None:
        super().__init__(HOST, "--experimental", "--ip6tables", f"--userland-proxy={str(userland_proxy).lower()}")
        self._world: list[subprocess.Popen[bytes]] = []
        """Servers of the internet, for all scenarios."""
        self._second: Engine | None = None

    def __enter__(self) -> "Lab":
        try:
            self._build_network()
            self.start()
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
        if self._second is not None:
            self._second.stop()
        self.stop()
        for server in self._world:
            server.kill()
            server.wait()
        for namespace in (HOST, HOST2, GATEWAY, INTERNET):
            run("ip", "netns", "del", namespace, check=False)

    def second_uplink(self, address: str) -> None:
        """Give the host another uplink, eth1, that the route to *address* uses."""
        self._link((HOST, "eth1", "3c:22:fb:10:20:40"), (GATEWAY, "lan2", "00:1d:aa:01:02:06"))
        run("ip", "-n", HOST, "addr", "add", "192.168.3.100/24", "dev", "eth1")
        run("ip", "-n", GATEWAY, "addr", "add", "192.168.3.1/24", "dev", "lan2")
        run("ip", "-n", HOST, "route", "add", address, "via", "192.168.3.1")

    def second(self) -> Engine:
        """Return a second Docker host, behind the same gateway; both are nodes of one swarm."""
        if self._second is None:
            self._link((HOST2, UPLINK, "3c:22:fb:10:20:31"), (GATEWAY, "lan1", "00:1d:aa:01:02:05"))
            run("ip", "-n", HOST2, "addr", "add", "192.168.2.100/24", "dev", UPLINK)
            run("ip", "-n", GATEWAY, "addr", "add", "192.168.2.1/24", "dev", "lan1")
            run("ip", "-n", HOST2, "route", "add", "default", "via", "192.168.2.1")
            self._second = Engine(HOST2)
            self._second.start()
            self.docker("swarm", "init", "--advertise-addr", "192.168.1.100")
            token = self.docker("swarm", "join-token", "-q", "worker").strip()
            address = ("--advertise-addr", "192.168.2.100", "192.168.1.100:2377")
            self._second.docker("swarm", "join", "--token", token, *address)
        return self._second

    def _build_network(self) -> None:
        for namespace in (HOST, HOST2, GATEWAY, INTERNET):
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

    def _start_servers(self) -> None:
        datagrams = [("udp", "53", address) for address in (*SERVERS4, SERVER6)]
        for arguments in (("http", "80"), ("tcp", "7"), *datagrams):
            self._world.append(self._server(inside(INTERNET), *arguments))

    def forget_neighbours(self) -> None:
        """Empty the caches of the world, too."""
        super().forget_neighbours()
        for namespace in (GATEWAY, INTERNET):
            run(*inside(namespace, "ip", "neigh", "flush", "all"))

"""Dumps of a host as Docker leaves it, as files of ``host/``; what a test is about it changes."""

from tests.build import BRIDGE, C1, C2, UPLINK
from tests.explain.scene import HOST, INSIDE

NAT = "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n"


def rules(nat: str = NAT, forward: str = "", *, policy: str = "ACCEPT", raw: str = "") -> str:
    """Print rules as iptables-save does."""
    return (
        (f"*raw\n:PREROUTING ACCEPT [0:0]\n{raw}COMMIT\n" if raw else "")
        + f"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD {policy} [0:0]\n:OUTPUT ACCEPT [0:0]\n{forward}COMMIT\n"
        + f"*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n{nat}COMMIT\n"
    )


def links() -> list[dict[str, object]]:
    """Return the uplink and Docker's bridge."""
    return [
        {"ifindex": 2, "ifname": "wlan0", "address": UPLINK, "mtu": 1500, "operstate": "UP",
         "addr_info": [{"local": HOST}]},
        {"ifindex": 3, "ifname": "docker0", "address": BRIDGE, "mtu": 1500, "operstate": "UP",
         "linkinfo": {"info_kind": "bridge"}, "addr_info": [{"local": "172.17.0.1"}]},
    ]  # fmt: skip


def routes() -> list[dict[str, object]]:
    """Return the default route, and those of the segments."""
    return [
        {"dst": "default", "gateway": "192.168.1.1", "dev": "wlan0"},
        {"dst": "172.17.0.0/16", "dev": "docker0", "prefsrc": "172.17.0.1"},
        {"dst": "192.168.1.0/24", "dev": "wlan0", "prefsrc": HOST},
    ]


def network(name: str = "bridge", subnet: str = "172.17.0.0/16", bridge: str = "docker0", **fields: object) -> object:
    """Return what docker network inspect prints of one."""
    gateway = subnet.partition("/")[0].removesuffix("0") + "1"
    return {"Name": name, "Id": "a" * 64, "Driver": "bridge", "Options": {"com.docker.network.bridge.name": bridge},
            "IPAM": {"Config": [{"Subnet": subnet, "Gateway": gateway}]}, **fields}  # fmt: skip


def container(name: str, ip: str, mac: str, network: str = "bridge", service: str | None = None) -> object:
    """Return what docker inspect prints of one; *service* is docker compose's."""
    labels = {"Config": {"Labels": {"com.docker.compose.service": service}}} if service is not None else {}
    ends = {network: {"IPAddress": ip, "MacAddress": mac}}
    return {"Name": f"/{name}", "NetworkSettings": {"Networks": ends}, **labels}


def dumps(**changed: object) -> dict[str, object]:
    """Return all of them; *changed* are others, by the name without its ending."""
    files: dict[str, object] = {
        "ip-addr.json": links(),
        "ip-route.json": routes(),
        "docker-network-inspect.json": [network()],
        "docker-inspect.json": [container("c2", INSIDE, C1), container("web", "172.17.0.3", C2)],
        "iptables-save.txt": rules(),
        "sysctl.txt": "net.ipv4.ip_forward = 1\n",
    }
    names = {name.partition(".")[0].replace("-", "_"): name for name in files}
    return files | {names.get(key, key): value for key, value in changed.items()}

"""What of ``docker inspect`` and the like is recorded: what tells of networks, by name, for others see recordings."""

import json
import re
from typing import Any

from analyzer.state.cri import documents

Json = Any


def _whole(names: str) -> Json:
    return dict.fromkeys(names.split(), True)


_NETWORK = _whole(
    "Name Id Created Scope Driver EnableIPv4 EnableIPv6 IPAM Internal Attachable Ingress ConfigOnly Containers Options "
    "Peers Labels"
)
_CONTAINER = _whole("Id Name Created Image RestartCount ResolvConfPath HostsPath NetworkSettings") | {
    "State": _whole("Status Running Paused Restarting OOMKilled Dead Pid ExitCode Error StartedAt FinishedAt")
    | {"Health": _whole("Status FailingStreak")},
    "HostConfig": _whole(
        "NetworkMode PortBindings PublishAllPorts Dns DnsOptions DnsSearch ExtraHosts Links CapAdd CapDrop Privileged "
        "Sysctls RestartPolicy Isolation"
    ),
    "Config": _whole("Hostname Domainname ExposedPorts Image User Labels"),
}
_PODMAN_NETWORK = _whole(
    "name id driver network_interface created subnets routes ipv6_enabled internal dns_enabled options ipam_options "
    "labels"
)
_POD = {
    "status": _whole("id metadata state createdAt network linux labels runtimeHandler"),
    "info": _whole("pid runtimeType") | {"cniResult": _whole("Interfaces")},
}
_DAEMON = _whole(
    "iptables ip6tables ip-forward ip-masq userland-proxy bip bip6 bridge mtu fixed-cidr fixed-cidr-v6 default-gateway "
    "default-gateway-v6 default-address-pools default-network-opts dns dns-opts dns-search icc ip ipv6 live-restore "
    "insecure-registries firewall-backend allow-direct-routing experimental"
)
_INFO = _whole(
    "ServerVersion OperatingSystem KernelVersion Driver CgroupDriver CgroupVersion LiveRestoreEnabled SecurityOptions "
    "DefaultAddressPools FirewallBackend IPv4Forwarding BridgeNfIptables BridgeNfIp6tables Warnings"
) | {"Swarm": _whole("LocalNodeState NodeAddr ControlAvailable Nodes Managers")}
KEEP = {
    "docker-inspect.json": _CONTAINER, "docker-network-inspect.json": _NETWORK, "docker-info.json": _INFO,
    "daemon.json": _DAEMON, "podman-inspect.json": _CONTAINER, "podman-network-inspect.json": _PODMAN_NETWORK,
    "nerdctl-inspect.json": _CONTAINER, "nerdctl-network-inspect.json": _NETWORK, "crictl-inspect.json": _POD,
}  # fmt: skip
"""What stays, by file; True for whole values. Environment, commands and mounts are not among it."""
LABELS = re.compile(
    r"com\.docker\.(compose|swarm|stack)\.(project|service|oneoff|container-number|network|namespace)(\.(name|id))?"
    r"|io\.kubernetes\.pod\.(name|namespace|uid)|app\.kubernetes\.io/(name|instance|component)|app|k8s-app"
    r"|PODMAN_SYSTEMD_UNIT"
)
"""Labels that tell where a container belongs; whatever else people write on them is theirs."""


def public(text: str, file: str) -> str:
    """
    Leave out of what an engine says of itself or its containers, which goes into *file*, what may be secret.

    Raises:
        ValueError: it is no JSON.
    """
    found, keep = documents(text) if file == "crictl-inspect.json" else json.loads(text), KEEP[file]
    kept = [_kept(one, keep) for one in found] if isinstance(found, list) else _kept(found, keep)
    return json.dumps(kept, indent=1) + "\n"


def _kept(value: Json, keep: Json) -> Json:
    if keep is True or not isinstance(value, dict):
        return value
    found = {name: _kept(value[name], keep[name]) for name in keep if name in value}
    for key in ("Labels", "labels"):
        labels = found.get(key)
        if not isinstance(labels, dict):
            continue
        found[key] = {name: text for name, text in labels.items() if LABELS.fullmatch(name)}
    return found

"""hoptrace doctor: each check on a host as Docker leaves it, and on one where it is broken in that way."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import main
from analyzer.explain.doctor import examine
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.state.load import load_host

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
HEALTHY = SAMPLES / "bundle" / "host"
Break = Callable[[Path], None]


def _replace(file: str, *changes: tuple[str, str]) -> Break:
    """Return what edits a dump."""

    def act(folder: Path) -> None:
        text = (folder / file).read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        (folder / file).write_text(text)

    return act


def _without(file: str, *words: str) -> Break:
    """Return what removes the lines of a dump that have all of the words."""

    def act(folder: Path) -> None:
        lines = (folder / file).read_text().splitlines(keepends=True)
        kept = [line for line in lines if not all(word in line for word in words)]
        assert len(kept) < len(lines)
        (folder / file).write_text("".join(kept))

    return act


def _after(file: str, begins: str, *lines: str) -> Break:
    """Return what puts lines behind the one of a dump that begins so."""

    def act(folder: Path) -> None:
        found: list[str] = []
        for line in (folder / file).read_text().splitlines():
            found += [line, *(lines if line.startswith(begins) else ())]
        assert len(found) > len((folder / file).read_text().splitlines())
        (folder / file).write_text("\n".join(found) + "\n")

    return act


def _all(*breaks: Break) -> Break:
    def act(folder: Path) -> None:
        for one in breaks:
            one(folder)

    return act


def _smaller_uplink(folder: Path) -> None:
    links = json.loads((folder / "ip-addr.json").read_text())
    for link in links:
        link["mtu"] = 1400 if link.get("ifname") == "wlan0" else link.get("mtu")
    (folder / "ip-addr.json").write_text(json.dumps(links))


def _off_its_bridge(folder: Path) -> None:
    links = json.loads((folder / "ip-addr.json").read_text())
    container = json.loads((folder / "docker-inspect.json").read_text())[0]
    (mac,) = (network["MacAddress"] for network in container["NetworkSettings"]["Networks"].values())
    links.append({"ifindex": 99, "ifname": "veth99", "linkinfo": {"info_kind": "veth"}, "operstate": "UP"})
    inner = {"ifindex": 2, "ifname": "eth0", "address": mac, "link_index": 99, "linkinfo": {"info_kind": "veth"}}
    place = folder / "containers" / container["Name"].lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    (folder / "ip-addr.json").write_text(json.dumps(links))
    (place / "ip-addr.json").write_text(json.dumps([inner]))


def _left_alone(folder: Path) -> None:
    containers = json.loads((folder / "docker-inspect.json").read_text())
    shares = {"NetworkMode": f"container:{containers[0]['Id']}"}
    containers.append({**containers[0], "Id": "1" * 64, "Name": "/side", "HostConfig": shares, "NetworkSettings": {}})
    place = folder / "containers" / "side"
    place.mkdir(parents=True)
    (folder / "docker-inspect.json").write_text(json.dumps(containers))
    (place / "ip-addr.json").write_text(json.dumps([{"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP"]}]))


FAULTS: dict[str, tuple[str, Break]] = {
    "forwarding off": (
        "forwarding-disabled",
        _replace("sysctl.txt", ("net.ipv4.ip_forward = 1", "net.ipv4.ip_forward = 0")),
    ),
    "IPv6 forwarding off": (
        "forwarding-disabled",
        _all(
            _replace("sysctl.txt", ("net.ipv6.conf.all.forwarding = 1", "net.ipv6.conf.all.forwarding = 0")),
            _replace("docker-network-inspect.json", ('"Subnet": "172.17.0.0/16"', '"Subnet": "fd00:17::/64"')),
        ),
    ),
    "FORWARD drops": (
        "forward-policy-drop",
        _all(
            _without("iptables-save.txt", "-A FORWARD"),
            _replace("iptables-save.txt", (":FORWARD ACCEPT", ":FORWARD DROP"))
            if ":FORWARD ACCEPT" in (HEALTHY / "iptables-save.txt").read_text()
            else lambda folder: None,
        ),
    ),
    "no masquerading": (
        "masquerade-missing",
        _without("iptables-save.txt", "POSTROUTING", "MASQUERADE", "172.17.0.0/16"),
    ),
    "port not translated": ("published-port-not-translated", _without("iptables-save.txt", "DNAT")),
    "small uplink": ("mtu-mismatch", _smaller_uplink),
    "overlapping networks": (
        "subnet-overlap",
        _replace("ip-route.json", ('"dst":"192.168.1.0/24"', '"dst":"172.17.128.0/20"')),
    ),
    "a table before main": (
        "container-routed-elsewhere",
        _all(
            _replace(
                "ip-rule.json", ('{"priority":32766', '{"priority":7,"src":"all","table":"52"},{"priority":32766')
            ),
            _replace("ip-route.json", ("[{", '[{"dst":"default","dev":"wlan0","table":"52"},{')),
        ),
    ),
    "bridge without iptables": (
        "bridge-netfilter-off",
        lambda folder: (folder / "sysctl.txt").write_text("net.bridge.bridge-nf-call-iptables = 0\n"),
    ),
    "conntrack nearly full": (
        "conntrack-full",
        lambda folder: (folder / "sysctl.txt").write_text(
            "net.netfilter.nf_conntrack_count = 950\nnet.netfilter.nf_conntrack_max = 1000\n"
        ),
    ),
    "names are dropped": (
        "filtered-by-rule",
        _after("iptables-save.txt", ":DOCKER-USER", "-A DOCKER-USER -p udp -m udp --dport 53 -j DROP"),
    ),
    "a rule before all others": (
        "filtered-by-rule",
        _after("iptables-save.txt", ":DOCKER-USER", "-A FORWARD -i docker0 -j DROP"),
    ),
    "veth without a bridge": ("veth-off-the-bridge", _off_its_bridge),
    "a bridge without its address": ("bridge-address-lost", _replace("ip-addr.json", ("172.17.0.1", "172.17.99.1"))),
    "a sidecar left alone": ("sidecar-cut-off", _left_alone),
    "one MAC twice": ("duplicate-address", _replace("docker-inspect.json", ("02:42:ac:11:00:03", "02:42:ac:11:00:02"))),
}


@pytest.mark.parametrize("name", sorted(path.parent.parent.name for path in SAMPLES.glob("*/host/ip-addr.json")))
def test_healthy_hosts(name: str) -> None:
    """As Docker leaves them, nothing is wrong with any of the samples' hosts."""
    assert examine(load_host(SAMPLES / name / "host")) == ()


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(tmp_path: Path, fault: str) -> None:
    """One finding, with the line that shows it and what mends it."""
    check, break_it = FAULTS[fault]
    shutil.copytree(HEALTHY, tmp_path / "host")
    break_it(tmp_path / "host")
    found = examine(load_host(tmp_path / "host"))

    assert {finding.check for finding in found} == {check}
    assert all(finding.proof and finding.remedy for finding in found)


def test_two_uplinks_and_strict_filtering(tmp_path: Path) -> None:
    """rp_filter = 1 matters only where answers may come by another way."""
    shutil.copytree(SAMPLES / "two-uplinks" / "host", tmp_path / "host")
    (tmp_path / "host" / "sysctl.txt").write_text("net.ipv4.conf.all.rp_filter = 1\n")
    found = examine(load_host(tmp_path / "host"))

    assert [finding.check for finding in found] == ["reverse-path-filtered"]


def test_every_check_has_a_fault() -> None:
    """A check without one could be anything."""
    known = {check for check, _ in FAULTS.values()} | {"reverse-path-filtered"}

    assert known == {one.name for one in HYPOTHESES if one.state is not None}


def test_the_command(tmp_path: Path) -> None:
    """It says what, why, where, and what to do; or that all is well."""
    shutil.copytree(HEALTHY, tmp_path / "host")
    well = CliRunner().invoke(main, ["doctor", "--host", str(tmp_path / "host")])
    FAULTS["forwarding off"][1](tmp_path / "host")
    ill = CliRunner().invoke(main, ["doctor", "--host", str(tmp_path / "host")])

    assert "nothing wrong was found" in well.output
    assert "error: IPv4 forwarding is off" in ill.output
    assert "sysctl.txt: net.ipv4.ip_forward = 0" in ill.output
    assert "Remedy: sysctl -w net.ipv4.ip_forward=1" in ill.output

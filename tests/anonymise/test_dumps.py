"""Dumps written anew."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.anonymise.dumps import Dumps
from analyzer.state.docker import parse_containers, parse_networks


@pytest.fixture
def dumps(new: SimpleNamespace) -> Dumps:
    return Dumps(new.words)


def _written(dumps: Dumps, folder: Path, name: str, text: str) -> str:
    (folder / "old").mkdir(exist_ok=True)
    (folder / "old" / name).write_text(text)
    assert dumps.write(folder / "old" / name, folder / name) is None
    return (folder / name).read_text()


INSPECTED = {
    "Id": "0123456789ab" * 5 + "cdef", "Name": "/payroll-app-1", "Created": "2026-11-28T01:02:03.5Z",
    "Config": {"Env": ["TOKEN=hunter2"], "Cmd": ["/hunter2"], "Hostname": "hunter2",
               "Labels": {"com.docker.compose.service": "payroll", "owner": "hunter2"}},
    "State": {"Status": "running", "Pid": 4242}, "Mounts": [{"Source": "/home/hunter2"}],
    "HostConfig": {"NetworkMode": "app", "Binds": ["/home/hunter2"]},
    "NetworkSettings": {
        "Networks": {"app": {"IPAddress": "172.18.0.7", "MacAddress": "02:42:ac:12:00:07", "Aliases": ["payroll"]},
                     "Name": {"IPAddress": "172.19.0.7"}},
        "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
    },
}  # fmt: skip


def test_of_a_container_nothing_goes_on_but_what_is_read(dumps: Dumps, tmp_path: Path, new: SimpleNamespace) -> None:
    """Names are replaced wherever they stand; a network may be called as a field is, or as a label."""
    text = _written(dumps, tmp_path, "docker-inspect.json", json.dumps([INSPECTED]))

    one, other = parse_containers(json.loads(text))
    word = new.words.text
    assert "hunter2" not in text
    assert "payroll" not in text
    assert (one.name, one.service, one.aliases) == (word("payroll-app-1"), word("payroll"), (word("payroll"),))
    assert (one.network, other.network) == (word("app"), word("Name"))
    assert (one.mode, one.created, one.status.answers) == (word("app"), "2026-11-28T01:02:03.5Z", True)
    assert one.published == ("0.0.0.0:8080->80/tcp",)
    assert one.addresses[0].packed == new.addresses.packed(bytes((172, 18, 0, 7)))


def test_of_a_network_its_driver_and_the_options_that_are_read(dumps: Dumps, tmp_path: Path) -> None:
    """Its bridge is found by its id, which is replaced at both places."""
    told = {
        "Name": "payroll_default", "Id": "0123456789ab" * 5 + "cdef", "Driver": "macvlan", "Internal": True,
        "IPAM": {"Config": [{"Subnet": "10.9.0.0/16", "Gateway": "10.9.0.1"}]},
        "Options": {"parent": "eth0", "macvlan_mode": "vepa", "com.acme.hunter2": "hunter2"},
        "Labels": {"x": "hunter2"},
    }  # fmt: skip

    text = _written(dumps, tmp_path, "docker-network-inspect.json", json.dumps([told]))

    (network,) = parse_networks(json.loads(text))
    assert "hunter2" not in text
    assert "acme" not in text
    assert (network.driver, network.mode, network.parent, network.internal) == ("macvlan", "vepa", "eth0", True)
    assert network.name.endswith("_default")
    assert network.subnets[0].prefixlen == 16


@pytest.mark.parametrize(
    ("name", "text", "gone"),
    [
        ("iptables-save.txt", '*filter\n-A FORWARD -m comment --comment "payroll rule" -j ACCEPT\n', "payroll"),
        ("ip-route.json", '[{"dst":"default","gateway":"9.77.66.55","dev":"payroll0"}]', "payroll"),
        ("resolv.conf", "search payroll.acme.example\nnameserver 9.77.66.55\n", "payroll"),
        ("wg.txt", "interface: wg0\n  public key: c2VjcmV0IGtleSBvZiBwYXlyb2xsIGFuZCBhY21lIQ=\n", "c2VjcmV0"),
        ("daemon.json", '{"iptables": false, "registry-mirrors": ["https://payroll"]}', "payroll"),
        ("ss.txt", 'tcp LISTEN 0 128 0.0.0.0:80 users:(("payrolld",pid=7,fd=3))\n', "payroll"),
        ("conntrack.txt", "tcp 6 src=9.77.66.55 dst=192.0.2.9 sport=1 dport=2\n", "9.77.66.55"),
    ],
)
def test_names_and_addresses_are_gone(dumps: Dumps, tmp_path: Path, name: str, text: str, gone: str) -> None:
    """From each kind of dump; what it is stays."""
    found = _written(dumps, tmp_path, name, text)

    assert gone not in found
    assert "9.77.66.55" not in found
    assert found.count("\n") >= text.count("\n")
    for kept in (
        "-A FORWARD -m comment --comment",
        '"gateway"',
        "nameserver",
        "public key",
        '"iptables": false',
    ):
        assert (kept in found) == (kept in text)


def test_the_kernels_counters_stay_as_they_are(dumps: Dumps, tmp_path: Path) -> None:
    """They are words of its own, and numbers."""
    text = "#kernel\nTcpExtTCPReqQFullDrop           123456             0.0\n"
    said = "payroll: command failed on 9.9.9.9\n"

    assert _written(dumps, tmp_path, "nstat.txt", text + said) == text
    assert (
        _written(dumps, tmp_path, "conntrack-stats.txt", f"cpu=0   found=7 invalid=0 \n{said}")
        == "cpu=0   found=7 invalid=0 \n"
    )
    assert _written(dumps, tmp_path, "softnet_stat.txt", f"00f1 00000000\n{said}") == "00f1 00000000\n"
    assert (
        _written(dumps, tmp_path, "nfnetlink_queue.txt", f"    7  4242     0 2 65531\n{said}")
        == "    7  4242     0 2 65531\n"
    )


def test_what_is_not_as_its_command_prints_it_is_left_out_and_named(dumps: Dumps, tmp_path: Path) -> None:
    """It might have anything in it."""
    source = tmp_path / "docker-inspect.json"
    source.write_text('[{"Name": "payroll"')

    assert dumps.write(source, tmp_path / "new") == "docker-inspect.json: not as its command prints it"

    assert not (tmp_path / "new").exists()


def test_events_drops_and_retis_line_by_line(dumps: Dumps, new: SimpleNamespace) -> None:
    """As far as they are read."""
    word = new.words.text
    actor = {"ID": "0" * 64, "Attributes": {"name": "payroll", "exitCode": "137", "image": "hunter2"}}
    died = json.dumps({"Type": "container", "Action": "die", "Actor": actor, "timeNano": 7})
    run = json.dumps({"Type": "container", "Action": "exec_create: hunter2", "Actor": actor, "timeNano": 7})

    event = json.loads(dumps.event(died))
    assert event["Actor"]["Attributes"] == {"name": word("payroll"), "exitCode": "137"}
    assert (dumps.event(run), dumps.event("nonsense"), dumps.event("7")) == ("", "", "")
    line = "17.000001 NETFILTER_DROP nf_hook_slow 2048 payroll0,98,17.000000,r"
    assert dumps.drop(line) == line.replace("payroll", word("payroll"))
    assert dumps.drop("lost 7") == "lost 7"
    assert (dumps.drop("#kernel payroll comment 9.9.9.9 said"), dumps.drop("lost payroll")) == ("", "")
    told = json.loads(dumps.retis('{"dev": {"name": "payroll0"}, "process": "hunter2", "skb": {"l3_len": 60}}'))
    assert told["dev"]["name"] == word("payroll0")
    assert "hunter2" not in json.dumps(told)
    assert dumps.retis("nonsense") == ""

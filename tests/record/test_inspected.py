"""What of docker inspect goes into a recording that others may see."""

import json
from typing import Any

import pytest

from analyzer.record.inspected import public

CONTAINER: dict[str, Any] = {
    "Id": "a" * 64,
    "Name": "/web",
    "Args": ["--password=secret"],
    "Path": "secret",
    "Mounts": [{"Source": "/home/secret"}],
    "State": {"Status": "running", "Pid": 7, "Health": {"Status": "healthy", "Log": [{"Output": "secret"}]}},
    "HostConfig": {"NetworkMode": "bridge", "Binds": ["/home/secret:/data"], "Privileged": False},
    "Config": {
        "Hostname": "web",
        "Env": ["TOKEN=secret"],
        "Cmd": ["secret"],
        "Labels": {
            "com.docker.compose.project": "shop",
            "com.docker.compose.service": "web",
            "com.docker.compose.config-hash": "secret",
            "owner": "secret",
            "x.com.docker.compose.service": "secret",
        },
    },
    "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "DriverOpts": None}}},
}
NETWORK: dict[str, Any] = {
    "Name": "bridge",
    "Options": {"com.docker.network.bridge.name": "docker0"},
    "ConfigFrom": {"Network": "secret"},
    "Labels": {"com.docker.swarm.network": "x", "owner": "secret"},
}


def _public(found: object, file: str = "docker-inspect.json") -> Any:
    return json.loads(public(json.dumps([found]), file))[0]


def test_what_may_be_secret_is_left_out_of_containers() -> None:
    """Environment, commands, mounts, binds, and what a health check printed."""
    told = _public(CONTAINER)

    assert "secret" not in json.dumps(told)
    assert told["Config"]["Hostname"] == "web"
    assert told["HostConfig"] == {"NetworkMode": "bridge", "Privileged": False}


def test_what_tells_of_networks_stays_as_it_is() -> None:
    """Whole, with what is in it; nothing is made up that Docker did not tell."""
    told = _public(CONTAINER)

    assert told["NetworkSettings"] == CONTAINER["NetworkSettings"]
    assert told["State"] == {"Status": "running", "Pid": 7, "Health": {"Status": "healthy"}}
    assert told.keys() == {"Id", "Name", "State", "HostConfig", "Config", "NetworkSettings"}


def test_only_labels_that_tell_where_a_container_belongs_stay() -> None:
    """Those of compose, swarm and stacks; a name that only ends so is somebody's own."""
    assert _public(CONTAINER)["Config"]["Labels"].keys() == {
        "com.docker.compose.project", "com.docker.compose.service",
    }  # fmt: skip


def test_networks_have_a_list_of_their_own() -> None:
    """Options stay, for they name the bridge; labels are chosen likewise."""
    told = _public(NETWORK, "docker-network-inspect.json")

    assert told == {"Name": "bridge", "Options": NETWORK["Options"], "Labels": {"com.docker.swarm.network": "x"}}


@pytest.mark.parametrize("value", [None, "none", 7, []])
def test_what_is_no_object_is_taken_as_it_is(value: object) -> None:
    """Docker writes null where there is nothing."""
    found = _public({"Name": "/web", "State": value, "Config": {"Labels": value}})

    assert found == {"Name": "/web", "State": value, "Config": {"Labels": value}}


def test_an_answer_that_is_no_json_is_refused() -> None:
    """It is not recorded as it is: nobody knows what is in it."""
    with pytest.raises(ValueError, match="Expecting value"):
        public("TOKEN=secret", "docker-inspect.json")


@pytest.mark.parametrize("file", ["daemon.json", "docker-info.json"])
def test_what_the_daemon_says_of_itself_has_no_proxies_or_registries(file: str) -> None:
    """Their addresses may have passwords in them."""
    said = {
        "iptables": False, "mtu": 1400, "proxies": {"http-proxy": "http://me:secret@proxy"}, "log-opts": "secret",
        "registry-mirrors": ["https://me:secret@mirror"], "ServerVersion": "26.1.5", "HttpProxy": "me:secret@proxy",
        "Labels": ["secret"], "Swarm": {"LocalNodeState": "active", "Cluster": {"ID": "secret"}},
    }  # fmt: skip
    told = json.loads(public(json.dumps(said), file))

    assert "secret" not in json.dumps(told)
    assert told == (
        {"iptables": False, "mtu": 1400}
        if file == "daemon.json"
        else {"ServerVersion": "26.1.5", "Swarm": {"LocalNodeState": "active"}}
    )

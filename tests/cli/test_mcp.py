"""hoptrace mcp, asked by the SDK's own client: in this process, and as assistants do, by stdin and stdout."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from analyzer.cli.mcp import server

ROOT = Path(__file__).parents[2]
FAULT = str(ROOT / "tests" / "faults" / "docker-user.bridge.tar.zst")


def _asked(what: Callable[[Client], Awaitable[Any]], of: Any = None) -> Any:
    async def run() -> Any:
        async with Client(of or server()) as client:
            return await what(client)

    return asyncio.run(run())


def _text(result: Any) -> str:
    return "\n".join(one.text for one in result.content)


def test_what_it_offers() -> None:
    """Each tool says what it does."""
    tools = _asked(lambda client: client.list_tools()).tools

    assert {one.name for one in tools} == {"analyze", "show", "checks", "doctor", "replay"}
    assert all(one.description for one in tools)


def test_analyze_tells_what_is_wrong() -> None:
    """The sentence, the rule, and the command that helps."""
    told = _asked(lambda client: client.call_tool("analyze", {"paths": [FAULT]})).structured_content

    assert told["summary"] == "c1 cannot reach 198.51.100.80:7 (TCP): rule 1 of DOCKER-USER drops it"
    assert told["findings"][0]["check"] == "filtered-by-rule"
    assert told["findings"][0]["commands"][0].startswith("iptables -t filter -I DOCKER-USER")
    assert [one["name"] for one in told["points"]] == ["docker0", "lo", "veth-c1", "veth-web", "wlan0"]
    assert told["dispositions"]["dropped"] == 3


@pytest.mark.parametrize(
    ("tool", "words", "said"),
    [
        ("show", {"paths": [FAULT], "what": "J2"}, "stopped: rule “-A DOCKER-USER -p tcp -m tcp --dport 7 -j DROP”"),
        ("checks", {"name": "filtered-by-rule"}, "filtered-by-rule"),
        ("checks", {}, "masquerade-missing"),
        ("doctor", {"host": str(ROOT / "sample_pcaps" / "bundle" / "host")}, ""),
    ],
)
def test_what_commands_print(tool: str, words: dict[str, object], said: str) -> None:
    """Without colours."""
    told = _text(_asked(lambda client: client.call_tool(tool, words)))

    assert said in told
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("tool", "words", "said"),
    [
        ("analyze", {"paths": ["nowhere.pcap"]}, "nowhere.pcap: No such file or directory"),
        ("analyze", {"paths": [FAULT], "selection": "ip.addr =="}, "ip.addr =="),
        ("show", {"paths": [FAULT], "what": "J999"}, "J999"),
        ("checks", {"name": "nothing-like-it"}, "nothing-like-it"),
        ("show", {"paths": ["--explain", FAULT], "what": "J0"}, "--explain"),  # nothing that is asked for is an option
        ("checks", {"name": "--json"}, "--json"),
        ("replay", {"bundle": FAULT, "journeys": ["--output=x.sh"]}, "--output=x.sh"),
    ],
)
def test_what_fails_is_said_in_a_line(tool: str, words: dict[str, object], said: str) -> None:
    """As on a terminal."""
    result = _asked(lambda client: client.call_tool(tool, words))

    assert result.is_error
    assert said in _text(result)
    assert "Traceback" not in _text(result)


@pytest.mark.process
def test_by_stdin_and_stdout() -> None:
    """Nothing but the protocol goes there."""
    started = StdioServerParameters(command=sys.executable, args=["-m", "analyzer", "mcp"], cwd=str(ROOT))
    told = _asked(lambda client: client.call_tool("analyze", {"paths": [FAULT], "selection": "icmp"}), started)

    assert "None of 11 packets was selected" in told.structured_content["summary"]

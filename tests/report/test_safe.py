"""Nothing that came off the wire, from a file or from a dump reaches a terminal unescaped."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import main
from analyzer.report.safe import safe

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"
HOSTILE = "\x1b[31mred\x1b]0;title\x07\u202eevil\n[bold]x[/bold]"


def test_safe_escapes_what_moves_the_cursor_or_the_reader() -> None:
    """Control, format and bidirectional characters; markup is plain text."""
    assert safe("a\x1b[1m\u202eb\nc") == "a\\x1b[1m\\u202eb\\x0ac"
    assert safe("ärger → [bold]") == "ärger → [bold]"


@pytest.mark.parametrize("colour", [True, False])
def test_hostile_names_are_inert(tmp_path: Path, colour: bool) -> None:
    """A container's name and a point's name that are escape sequences."""
    bundle = tmp_path / "bundle"
    shutil.copytree(SEED, bundle)
    inspect = json.loads((bundle / "host" / "docker-inspect.json").read_text())
    for container in inspect:
        container["Name"] = f"/{HOSTILE}"
    (bundle / "host" / "docker-inspect.json").write_text(json.dumps(inspect))
    veth = bundle / "veth-c3.pcap"
    result = CliRunner().invoke(
        main, ["analyze", str(bundle), "--point", f"\x1b[2J{HOSTILE.replace(chr(10), '')}={veth}"], color=colour
    )

    assert result.exit_code == 0, result.output
    assert "\x1b]" not in result.output
    assert "\x1b[2J" not in result.output
    assert "\u202e" not in result.output
    assert "\\x1b" in result.output

"""Manual pages made of what ``--help`` says, as man(7) has them; ``python -m tests.docs.made`` writes them."""

import re
from pathlib import Path

import click

from analyzer import __version__
from analyzer.cli import main

FOLDER = Path(__file__).parents[2] / "docs" / "man"
EXIT_CODES = (
    (0, "done"), (1, "a finding as bad as --fail-on says"), (2, "usage"), (3, "input unreadable"),
    (4, "input read in part, or damaged under --strict"), (5, "output not writable"), (6, "not enough memory"),
    (70, "a mistake of hoptrace"), (130, "interrupted"),
)  # fmt: skip


def pages() -> dict[str, str]:
    """Return all pages by their files' names: one of hoptrace, one of each command."""
    root = click.Context(main, info_name="hoptrace", **main.context_settings)
    commands = {name: main.commands[name] for name in main.list_commands(root)}
    found = {"hoptrace.1": _page(root, "hoptrace", commands)}
    for name, command in commands.items():
        found[f"hoptrace-{name}.1"] = _page(click.Context(command, root, name), f"hoptrace-{name}", {})
    return found


def _page(context: click.Context, title: str, commands: dict[str, click.Command]) -> str:
    command = context.command
    first, *rest = (" ".join(one.split()) for one in re.split(r"\n\s*\n", (command.help or "").strip()))
    lines = [f'.TH {title.upper()} 1 "" "hoptrace {__version__}" "User Commands"', ".SH NAME"]
    lines += [f"{_safe(title)} \\- {_safe(first.rstrip('.').split(': ')[0])}", ".SH SYNOPSIS"]
    pieces = " ".join(command.collect_usage_pieces(context))
    lines += [f".B {_safe(context.command_path)}", _safe(pieces), ".SH DESCRIPTION", _safe(first)]
    for paragraph in rest:
        lines += [".PP", _safe(paragraph)]
    if commands:
        lines.append(".SH COMMANDS")
        for name, one in commands.items():
            lines += [".TP", f"\\fBhoptrace\\-{_safe(name)}\\fR(1)", _safe(one.get_short_help_str(200))]
    lines.append(".SH OPTIONS")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            lines += [".TP", f"\\fB{_safe(record[0])}\\fR", _safe(" ".join(record[1].split()))]
    if command.epilog:
        examples = [line.strip() for line in command.epilog.splitlines() if line.strip() and "\b" not in line][1:]
        lines += [".SH EXAMPLES", ".nf", *(_safe(line) for line in examples), ".fi"]
    if commands:
        lines.append(".SH EXIT STATUS")
        for code, meaning in EXIT_CODES:
            lines += [".TP", f"\\fB{code}\\fR", _safe(meaning)]
    else:
        lines += [".SH SEE ALSO", "\\fBhoptrace\\fR(1)"]
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    """Keep roff from seeing requests or escapes in a text."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text

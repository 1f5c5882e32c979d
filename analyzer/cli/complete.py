"""Completion in bash, zsh and fish: files, what runs, checks, and the words of selections."""

import click
from click.shell_completion import CompletionItem, get_completion_class

from analyzer.cli.base import examples

SHELLS = {
    "bash": 'eval "$(hoptrace completion bash)"', "zsh": 'eval "$(hoptrace completion zsh)"',
    "fish": "hoptrace completion fish | source",
}  # fmt: skip
"""What goes into ~/.bashrc, ~/.zshrc, ~/.config/fish/config.fish."""


@click.command(epilog=examples(*(f"{line}          in {shell}" for shell, line in SHELLS.items())))
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a SHELL complete commands, options, files, containers, checks and fields."""
    found = get_completion_class(shell)
    main = context.find_root().command
    if found is not None:
        click.echo(found(main, {}, "hoptrace", "_HOPTRACE_COMPLETE").source())


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete files and folders."""
    return [CompletionItem(incomplete, type="file")]


def containers(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Give what runs here, or there with --ssh, by the names that engines have for it."""
    from analyzer.errors import ToolError  # noqa: PLC0415
    from analyzer.record.choose import find_engines  # noqa: PLC0415
    from analyzer.record.machine import Machine, Remote  # noqa: PLC0415

    target = context.params.get("target")
    try:
        machine = Remote(target) if target is not None else Machine()
        names = [name for one in find_engines(machine, context.params.get("engine")) for name in one.running(machine)]
    except ToolError:
        return []
    return _begun(names, incomplete)


def checks(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Give the checks, and when each speaks."""
    from analyzer.explain.hypotheses import HYPOTHESES  # noqa: PLC0415

    told = sorted((one.name, one.about) for one in HYPOTHESES)
    return [CompletionItem(name, help=about) for name, about in told if name.startswith(incomplete)]


def selection(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the last word of a selection: fields and protocols."""
    from analyzer.journey.fields import FIELDS, PROTOCOLS  # noqa: PLC0415

    place = max(incomplete.rfind(sign) for sign in " (!") + 1
    begun, word = incomplete[:place], incomplete[place:]
    names = [name for name in (*FIELDS, *PROTOCOLS) if word and name.startswith(word)]
    meanings = {name: one.meaning for name, one in FIELDS.items()}
    return [CompletionItem(begun + name, help=meanings.get(name)) for name in dict.fromkeys(names)]


def _begun(names: list[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in sorted(set(names)) if name.startswith(incomplete)]

"""What a kernel did with packets in a rebuilt host, to the terminal and as JSON."""

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from analyzer.model.replay import Account, Agreement, Met, Replay, Replayed
from analyzer.model.words import plural
from analyzer.report.safe import safe

MARKS = {Agreement.AGREES: ("✓", "green"), Agreement.DIFFERS: ("✗", "bold red"), Agreement.UNSAID: ("?", "yellow")}


def print_replay(out: Console, replay: Replay, *, verbose: bool) -> None:
    """Print each journey in a line or two, where accounts differ both of them, and how many agree."""
    for one in replay.journeys:
        _print_one(out, one, verbose=verbose)
    for line in replay.missing:
        out.print(Text(f"not built: {safe(line)}", "dim"))
    counts = [f"{replay.count(kind)} {'agree' if kind is Agreement.AGREES else kind}" for kind in Agreement]
    out.print(Text(f"\n{plural(len(replay.journeys), 'journey')}: {', '.join(counts)}", "bold"))


def _print_one(out: Console, one: Replayed, *, verbose: bool) -> None:
    mark, style = MARKS[one.agreement]
    line = Text(f"{mark} ", style)
    line.append(f"J{one.journey} {safe(one.summary)}: ", "")
    if one.kernel is not None:
        line.append(safe(one.kernel))
    if one.agreement is Agreement.UNSAID:
        line.append(
            f" — cannot be said: {safe(one.why)}" if one.kernel is not None else f"cannot be said: {safe(one.why)}"
        )
    out.print(line)
    for answer in one.answers:
        out.print(Text(f"    the host answers: {safe(answer)}", "dim"))
    if one.agreement is Agreement.DIFFERS and one.hoptrace is not None:
        out.print(Text(f"    kernel:   {safe(one.kernel)}"))
        out.print(Text(f"    hoptrace: {safe(one.hoptrace)}"))
    if verbose and one.kernel is not None:
        for met in one.kernel.steps:
            out.print(Text(f"    {safe(step_text(met))}", "dim"))


def step_text(met: Met) -> str:
    """Say a rule or policy that was met."""
    place = f"rule {met.number} " if met.number is not None else ""
    what = f"{place}{met.rule}: " if met.rule else ""
    return f"{met.table} {met.chain}: {what}{met.verdict}"


def as_json(replay: Replay) -> str:
    """Give all of it as JSON ``hoptrace-replay/1``; what is not known is left out."""
    document = {
        "schema": "hoptrace-replay/1",
        "journeys": [_journey(one) for one in replay.journeys],
        "not_built": list(replay.missing),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _journey(one: Replayed) -> dict[str, Any]:
    found: dict[str, Any] = {
        "journey": one.journey, "summary": one.summary, "agreement": str(one.agreement), "why": one.why,
        "kernel": _account(one.kernel), "hoptrace": _account(one.hoptrace), "answers": list(one.answers),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _account(account: Account | None) -> dict[str, Any] | None:
    if account is None:
        return None
    told: dict[str, Any] = {"end": str(account.end), "by": account.by, "out": account.out, "flow": account.flow}
    told["steps"] = [
        {name: value for name, value in asdict(met).items() if value not in (None, "")} for met in account.steps
    ]
    return {name: value for name, value in told.items() if value not in ("", [])}

"""Findings and checks in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from analyzer.model import Evidence, Finding
from analyzer.model.finding import Explained
from analyzer.model.words import plural
from analyzer.report.safe import safe
from analyzer.report.terminal.console import wrapped


def print_finding(out: Console, finding: Finding) -> None:
    """Print one finding."""
    title = wrapped(out, f"{finding.severity}: {safe(finding.title)}  ({finding.check}, {finding.basis})")
    text = Text(f"\n{title}", "bold")
    text.stylize(finding.severity.value, 1, len(finding.severity) + 2)
    text.stylize("not bold dim", max(text.plain.rfind("("), 0))

    def add(line: str, style: str = "not bold") -> None:
        text.append(f"\n{wrapped(out, line, '  ')}", style)

    if finding.detail != finding.title:
        add(f"{safe(finding.detail)}.")
    if finding.explanation:
        add(safe(finding.explanation))
    add(f"Remedy: {safe(finding.remedy)}")
    for command in finding.commands:  # in one line: it is pasted
        text.append(f"\n    {safe(command)}", "not bold")
    if finding.tried is not None:
        add(f"Tried on the recorded state: {safe(finding.tried)}", "not bold dim")
    frames = ", ".join(map(_evidence, finding.evidence)) + _more(finding)
    if frames:
        add(f"Evidence: {safe(frames)}", "not bold dim")
    for line in finding.proof:
        text.append(f"\n  {safe(line)}", "not bold dim")
    for head, others in (("Also possible", finding.alternatives), ("Ruled out", finding.refuted)):
        for other in others:
            asks = f" To tell: {safe(other.asks)}." if other.asks else ""
            add(f"{head}: {other.check}: {safe(other.why)}{asks}", "not bold dim")
    out.print(text)


def _evidence(one: Evidence) -> str:
    return f"{one} (J{one.journey})" if one.journey is not None else str(one)


def _more(finding: Finding) -> str:
    """Say how many packets there are beside those that are shown."""
    packets = finding.facts.get("packets", 0)
    shown = sum(one.journey is not None for one in finding.evidence)
    left = packets - shown if isinstance(packets, int) and shown else 0
    return f" and {left:,} more" if left > 0 else ""


def print_checks(out: Console, checks: Sequence[Explained]) -> None:
    """List checks."""
    for check in checks:
        text = Text(check.name, "bold")
        text.append("  ")
        text.append(check.severity.value, check.severity.value)
        if check.preview:
            text.append("  preview", "dim")
        text.append(f"\n  {check.about}\n  Needs: {check.needs}\n  Remedy: {check.remedy}\n")
        out.print(text)
    out.print(Text(plural(len(checks), "check"), "dim"))


def print_doctor(out: Console, host: str, findings: Sequence[Finding], problems: Sequence[str]) -> None:
    """Print what is wrong with a host, or that nothing was found."""
    for problem in problems:
        out.print(Text(f"not known: {safe(problem)}", "dim"))
    for finding in findings:
        print_finding(out, finding)
    count = plural(len(findings), "finding")
    nothing = "nothing wrong was found" + (" in what could be read" if problems else "")
    out.print(Text(f"\n{safe(host)}: {count if findings else nothing}", "bold"))


def print_rows(out: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print names with what they are."""
    out.print(Text(title, "bold"))
    for name, meaning in rows:
        out.print(Text(f"  {name}: ", "bold").append(meaning, "not bold"))
    out.print()

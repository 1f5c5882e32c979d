"""A host's own state, without captures: ``hoptrace doctor``."""

from analyzer.explain.host.asked import Host
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.explain.hypothesis import failed
from analyzer.model import Finding, HostState
from analyzer.model.finding import worst_first


def examine(host: HostState) -> tuple[Finding, ...]:
    """Ask every hypothesis that knows something of a host by itself; worst findings first."""
    found: list[Finding] = []
    asked = Host(host)
    for hypothesis in HYPOTHESES:
        try:
            told = hypothesis.state(asked) if hypothesis.state is not None else ()
            found += [hypothesis.finding(one) for one in told]
        except MemoryError:
            raise
        except Exception as error:
            found.append(failed(hypothesis.name, error))
    return worst_first(found)

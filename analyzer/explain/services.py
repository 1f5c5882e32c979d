"""What kube-proxy's rules that refuse say of a Service: they name it, or stand in a map that does."""

import re
from typing import Any

from analyzer.explain.case import Case
from analyzer.explain.fates import Stopped
from analyzer.explain.fixes import ends
from analyzer.explain.told import Facts

COMMENT = re.compile(r'"(\S+) has no (local )?endpoints"')
MAPS = ("no-endpoint-services", "no-endpoint-nodeports")
"""Of kube-proxy's nftables mode (pkg/proxy/nftables): elements have the Service's name for a comment."""
WRONG_PORT = "cluster-ips-check"
"""Its chain for what is for a Service's address, and none of its ports."""


def unserved(case: Case, stopped: Stopped) -> Facts:
    """Say which Service has nobody who serves it, or has not that port."""
    rule = stopped.cause.rule
    if rule is None:
        return {}
    if (named := COMMENT.search(rule.text)) is not None:
        return {"service": named[1], "endpoints": "local" if named[2] else "none"}
    if rule.chain == WRONG_PORT:
        return {"endpoints": "port"}
    asked = next(iter(ends(case, stopped.packets[0])))
    wanted = [[str(asked.dst), asked.protocol, asked.port], [asked.protocol, asked.port]]
    for table in stopped.host.tables if rule.native else ():
        for item in table.told if table.label == rule.table else ():
            for value, verdict in _elements(item):
                if value.get("val", {}).get("concat") in wanted:
                    kind = "local" if isinstance(verdict, dict) and "drop" in verdict else "none"
                    return {"service": str(value.get("comment", "")), "endpoints": kind}
    return {}


def _elements(item: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    """Return the elements of a map of such Services, as ``nft -j`` has them."""
    told = item.get("map")
    if not isinstance(told, dict) or told.get("name") not in MAPS:
        return []
    pairs = (one for one in told.get("elem") or [] if isinstance(one, list) and len(one) == len("kv"))
    found = [(key.get("elem"), verdict) for key, verdict in pairs if isinstance(key, dict)]
    return [(key, verdict) for key, verdict in found if isinstance(key, dict) and isinstance(key.get("val"), dict)]

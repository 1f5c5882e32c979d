"""Tables for people: times as timestamps, addresses as text, points, journeys and connections by their names."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analyzer.link.identity import has
from analyzer.model.tuple import address
from analyzer.packet.text import protocol_name
from analyzer.schema import Array, Layer

if TYPE_CHECKING:
    from pandas.api.extensions import ExtensionArray

    from analyzer.run.trace import Trace


def frames(trace: "Trace") -> pd.DataFrame:
    """
    Return a row a frame of FRAMES, with its index.

    Columns: ``time`` (UTC), ``point``, ``frame`` (its number there), ``journey`` and ``connection`` (``J3``, ``C0``, NA
    without one), ``protocol``, ``src``, ``sport``, ``dst``, ``dport``, ``ttl``, ``length`` (bytes on the wire).
    """
    found, hops = trace.frames, trace.hops.set_index("row")
    layers = found["layers"].to_numpy()
    ip, ports, arp = has(layers, Layer.IPV4 | Layer.IPV6), has(layers, Layer.PORTS), has(layers, Layer.ARP)
    belongs, points = hops.loc[found.index], pd.Index([one.name for one in trace.points])
    return pd.DataFrame(
        {
            "time": pd.to_datetime(found["time_ns"], unit="ns", utc=True),
            "point": pd.Categorical.from_codes(found["point"].to_numpy().astype(np.int32), points),
            "frame": found["frame"],
            "journey": _called("J", belongs["packet"].to_numpy()),
            "connection": _called("C", belongs["connection"].to_numpy()),
            "protocol": np.where(ip, _protocols(found["proto"].to_numpy()), np.where(arp, "ARP", "")),
            "src": _addresses(found, "src", ip | arp, has(layers, Layer.IPV6)),
            "sport": _or_nothing(found["sport"], ports),
            "dst": _addresses(found, "dst", ip | arp, has(layers, Layer.IPV6)),
            "dport": _or_nothing(found["dport"], ports),
            "ttl": _or_nothing(found["ttl"], ip),
            "length": found["orig_len"],
        },
        index=found.index,
    )


def connections(trace: "Trace") -> pd.DataFrame:
    """
    Return a row a connection of CONNECTIONS, with its index.

    Columns: ``connection`` (``C0``), ``protocol``, the original tuple (``src``, ``sport``, ``dst``, ``dport``), the
    reply tuple likewise (``reply_src``, ...), ``first`` and ``last`` (UTC), ``packets``, ``frames``, ``answered``.
    """
    found = trace.connections
    everywhere, six = np.ones(len(found), bool), (found["version"] == 6).to_numpy()
    table: dict[str, object] = {
        "connection": _called("C", found.index.to_numpy()),
        "protocol": _protocols(found["proto"].to_numpy()),
    }
    for way, prefix in (("orig", ""), ("reply", "reply_")):
        for end in ("src", "dst"):
            table[prefix + end] = _addresses(found, f"{way}_{end}", everywhere, six)
            table[f"{prefix}{end[0]}port"] = found[f"{way}_{end[0]}port"]
    times = {name: pd.to_datetime(found[f"{name}_ns"], unit="ns", utc=True) for name in ("first", "last")}
    rest = {"packets": found["packets"], "frames": found["frames"], "answered": found["seen_reply"]}
    return pd.DataFrame(table | times | rest, index=found.index)


def _called(letter: str, numbers: Array) -> "ExtensionArray":
    """Name journeys or connections; NA for those below 0."""
    distinct, place = np.unique(numbers, return_inverse=True)
    names = pd.array([f"{letter}{one}" if one >= 0 else pd.NA for one in distinct.tolist()], dtype="string")
    return names.take(place)


def _protocols(numbers: Array) -> Array:
    distinct, place = np.unique(numbers, return_inverse=True)
    return np.array([protocol_name(one).upper() for one in distinct.tolist()], object)[place]


def _addresses(table: pd.DataFrame, name: str, there: Array, six: Array) -> "ExtensionArray":
    """(rows,) Text of each address; NA where there is none."""
    keys = np.stack([six.astype(np.uint64), table[f"{name}_hi"].to_numpy(), table[name].to_numpy()], axis=1)
    distinct, place = np.unique(keys[there], axis=0, return_inverse=True)
    texts = [str(address(6 if of_six else 4, high, low)) for of_six, high, low in distinct.tolist()]
    found = np.full(len(table), pd.NA, object)
    found[there] = np.array(texts, object)[place.ravel()]
    return pd.array(found, dtype="string")


def _or_nothing(column: "pd.Series[int]", there: Array) -> "pd.Series[int]":
    return column.astype("UInt16").where(there)

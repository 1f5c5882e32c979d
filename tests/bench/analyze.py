"""What the benchmark times: captures to HOPS and CONNECTIONS.

With ``--check``, the truth check of generated ones; with ``--memory MIB``, in no more than that.
"""

import json
import sys

from analyzer.process import suit_columns


def main(arguments: list[str]) -> None:
    """Analyse; print what the check found."""
    suit_columns()
    from analyzer.run import analyze

    if arguments[:1] == ["--memory"]:
        trace = analyze(arguments[2:], memory=int(arguments[1]) << 20)
        print(len(trace.findings))
        return
    check = "--check" in arguments
    trace = analyze([path for path in arguments if path != "--check"])
    if not check:
        return
    import numpy as np

    frames, hops = trace.tables.frames, trace.correlated.hops
    count = len(frames["frame"]) // 3
    packet = np.empty(count * 3, np.int64)
    packet[hops["row"]] = hops["packet"]
    arp = frames["proto"][:count] == 0
    veth, docker0, wlan0 = packet[:count], packet[count : 2 * count], packet[2 * count :]
    # Frame k is one packet at all three points, but the uplink has ARP of its own.
    wrong = int((veth != docker0).sum()) + int(((veth != wlan0) != arp).sum())
    wrong += abs(trace.packets - count - int(arp.sum()))
    result = {
        "wrong": wrong,
        "connections": len(trace.correlated.connections["proto"]),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])

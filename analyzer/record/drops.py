"""The kernel's own account of what it dropped, while captures run: static tracepoints, without BPF or kprobes.

A packet's buffer has an address. ``net:netif_receive_skb`` and ``net:net_dev_start_xmit`` tell it with each interface
that the packet passes, ``skb:kfree_skb`` with the reason for which it is dropped (include/net/dropreason-core.h) and
the function that drops it; ``skb:consume_skb`` tells when an address is free again, so that nothing is told of another
packet. It is traced in an instance of tracefs of its own, mounted where nobody else sees it, and joined right there, so
that only drops are kept, one a line:

    TIME REASON FUNCTION PROTOCOL INTERFACE,LENGTH,TIME,r|s ...

Times are seconds since 1970; ``r`` was received there, its length without the link header, ``s`` is sent.
"""

FILE = "drops.txt"

JOIN = r"""
function value(name) {
    if (!match($0, " " name "=[^ ]*")) return ""
    return substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 2)
}
function pass(kind,   skb, so_far) {
    skb = value("skbaddr"); so_far = way[skb]
    while (split(so_far, parts, " ") > 7) so_far = substr(so_far, index(so_far, " ") + 1)
    way[skb] = (so_far == "" ? "" : so_far " ") value("dev") "," value("len") "," sprintf("%.6f", when) "," kind
}
{
    if (/LOST [0-9]+ EVENTS/) { match($0, /LOST [0-9]+/); print "lost " substr($0, RSTART + 5, RLENGTH - 5); next }
    if (!match($0, / [0-9]+\.[0-9]+: /)) next
    when = substr($0, RSTART + 1, RLENGTH - 3) - offset
    $0 = " " substr($0, RSTART + RLENGTH)
}
/^ tracing_mark_write: / && !known { known = 1; offset = int(when - $2 + ($2 ~ /\.[0-9]+$/ ? 0.5 : 0)); next }
/^ netif_receive_skb: / { pass("r"); next }
/^ net_dev_start_xmit: / { pass("s"); next }
/^ consume_skb: / { delete way[value("skbaddr")]; next }
/^ kfree_skb: / {
    skb = value("skbaddr")
    if (skb in way) {
        place = value("location"); sub(/\+.*/, "", place)
        match($0, / reason: .*/)
        print sprintf("%.6f", when), substr($0, RSTART + 9), place, value("protocol"), way[skb]
        fflush()
        delete way[skb]
    }
}
"""

SCRIPT = """
folder=$(mktemp -d) && mount -t tracefs tracefs "$folder" || exit 1
own=$folder/instances/hoptrace-$$
mkdir "$own" || exit 1
end() {
    echo 0 > "$own/tracing_on"
    sleep 0.3
    kill $reader
    wait $reader
    rmdir "$own"
    umount "$folder"
    rmdir "$folder"
}
trap 'trap "" TERM; end 2>/dev/null; exit 0' TERM
# TAI is some whole number of seconds ahead of UTC, or none, where nobody told the kernel: the marker shows that.
echo tai > "$own/trace_clock" || exit 1
echo 4096 > "$own/buffer_size_kb"
for event in skb/consume_skb net/netif_receive_skb net/net_dev_start_xmit skb/kfree_skb; do
    echo 1 > "$own/events/$event/enable" || exit 1
done
date +%s.%N > "$own/trace_marker"
# mawk waits for full buffers, if it is not told that somebody does not.
awk -W interactive "$1" < "$own/trace_pipe" &
reader=$!
wait $reader
"""

COMMAND = ("unshare", "--mount", "sh", "-c", SCRIPT, "sh", JOIN)
"""What writes that to its stdout, until it gets SIGTERM."""

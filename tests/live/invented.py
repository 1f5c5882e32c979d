"""Rules, routes and packets that nobody chose: for iptables-restore, for nft, for ip."""

import random

from tests.live.kernel import BEHIND, LEFT, OUTWARD, RIGHT, SOURCES, Sent

RECEIVED = (("raw", ("PREROUTING",)), ("mangle", ("PREROUTING", "FORWARD")), ("nat", ("PREROUTING", "POSTROUTING")),
            ("filter", ("INPUT", "FORWARD")))  # fmt: skip
SENT = (("raw", ("OUTPUT",)), ("mangle", ("OUTPUT", "POSTROUTING")), ("nat", ("OUTPUT", "POSTROUTING")),
        ("filter", ("OUTPUT",)))  # fmt: skip
BRIDGED = (("raw", ("PREROUTING",)), ("mangle", ("PREROUTING", "FORWARD", "POSTROUTING")), ("filter", ("FORWARD",)))
Hooks = tuple[tuple[str, tuple[str, ...]], ...]


def _targets(choose: random.Random, table: str, chain: str, where: Hooks) -> list[str]:
    """Return what a rule of a table may do."""
    targets = ["", "-j ACCEPT", "-j RETURN"]
    if table == "raw":
        targets += ["-j NOTRACK", "-j CT --notrack"]
    if table == "filter":
        targets += ["-j DROP", "-j DROP"]
        if where is RECEIVED:  # elsewhere the error itself passes the rules, and is counted
            targets.append("-j REJECT --reject-with icmp-port-unreachable")
    if table == "mangle":
        targets += ["-j MARK --set-xmark 0x1/0xffffffff", "-j MARK --set-xmark 0x2/0x2",
                    "-j CONNMARK --set-xmark 0x1/0xffffffff", "-j CONNMARK --save-mark",
                    "-j CONNMARK --restore-mark", "-j DSCP --set-dscp 0x08",
                    f"-j TTL --ttl-{choose.choice(('set', 'dec', 'inc'))} {choose.choice((1, 2, 63))}",
                    "-j LOG --log-prefix x"]  # fmt: skip
    if table == "nat" and chain in ("PREROUTING", "OUTPUT"):
        targets += ["-j DNAT --to-destination 10.78.0.3:80", "-j DNAT --to-destination 10.78.0.2",
                    "-j DNAT --to-destination :443"]  # fmt: skip
        targets += ["-j REDIRECT --to-ports 80"] if chain == "PREROUTING" else []
    if table == "nat" and chain == "POSTROUTING":
        targets += ["-j MASQUERADE", f"-j SNAT --to-source {RIGHT}"]
    return targets


def random_rules(seed: int, where: Hooks = RECEIVED) -> str:
    """Invent a ruleset for iptables-restore, with rules in some hooks."""
    choose = random.Random(seed)

    def ports() -> str:
        low = choose.choice((53, 80, 443, 1000))
        return choose.choice((f"{low}", f"{low}:{low + 400}"))

    def match(hook: str, table: str) -> list[str]:
        proto = choose.choice(("tcp", "udp", "icmp"))
        no = choose.choice(("", "", "! "))
        kinds = [
            f"{no}-s {choose.choice(('10.77.0.2/32', '10.77.0.0/24', '10.0.0.0/8', '10.77.9.9/32'))}",
            f"{no}-d {choose.choice(('10.78.0.2/32', '10.78.0.0/24', LEFT + '/32'))}",
            f"{no}-i {choose.choice(('r0', 'r1', 'r+', 'lo', 'br0'))}" if hook not in OUTWARD else f"{no}-o r1",
            f"{no}-p {proto}",
            f"-p tcp -m tcp {no}--dport {ports()}",
            f"-p udp -m udp {no}--sport {ports()}",
            f"-p tcp -m multiport {no}--dports 53,80,{choose.choice((443, '1000:2000'))}",
            f"-p tcp -m multiport {no}--ports 80,443",
            f"-m conntrack {no}--ctstate {choose.choice(('NEW', 'ESTABLISHED,RELATED', 'NEW,INVALID', 'DNAT'))}",
            f"-m addrtype {no}--src-type {choose.choice(('LOCAL', 'UNICAST'))}",
            f"-m addrtype {no}--dst-type {choose.choice(('LOCAL', 'UNICAST', 'LOCAL,MULTICAST'))}",
            f"-m mark {no}--mark {choose.choice(('0x1', '0x2/0x2', '0x0'))}",
            '-m comment --comment "it is \\"quoted\\""',
            f"-m connmark {no}--mark {choose.choice(('0x1', '0x0', '0x2/0x2'))}",
            f"-m dscp {no}--dscp {choose.choice(('0x00', '0x08', '0x2e'))}",
            f"-m conntrack --ctdir {choose.choice(('ORIGINAL', 'REPLY'))}",
            f"-m conntrack {no}--ctorigdst 10.78.0.{choose.choice((2, 3))}/32",
            f"-m conntrack {no}--ctorigsrc 10.77.0.0/24 --ctproto 6",
            f"-m conntrack {no}--ctstatus {choose.choice(('SEEN_REPLY', 'ASSURED'))}",
            f"-p tcp -m conntrack {no}--ctorigdstport 80",
            f"-p {choose.choice(('ipencap', 'esp', 'udplite', 'tcp'))}",
            "-m recent --set --name seen --rsource",
            f"{no}-f" if no else "-s 10.77.0.0/255.255.0.255",
            f"-p icmp -m icmp {no}--icmp-type {choose.choice(('8', '0', '3/1'))}",
            f"-p tcp -m tcp {no}--tcp-flags FIN,SYN,RST,ACK SYN",
            f"-m length {no}--length {choose.choice(('20:40', '28', '40:100'))}",
            f"-m ttl --ttl-{choose.choice(('eq', 'lt', 'gt'))} {choose.choice((63, 64))}",
            f"-m iprange {no}--src-range 10.77.0.2-10.77.0.3",
        ]
        if hook == "PREROUTING" and where is RECEIVED and table in ("raw", "mangle"):
            kinds.append(f"-m rpfilter{choose.choice(('', ' --invert', ' --validmark'))}")
        if hook == "FORWARD":
            kinds.append(f"{no}-o {choose.choice(('r0', 'r1', 'br0'))}")
            if where is BRIDGED:
                kinds += [f"-m physdev {no}--physdev-is-bridged", f"-m physdev {no}--physdev-in r0",
                          f"-m physdev {no}--physdev-out r1 --physdev-is-bridged"]  # fmt: skip
        picked = choose.sample(kinds, choose.choice((0, 1, 1, 2)))
        twice = any(sum(option in one for one in picked) > 1 for option in ("-p ", "-s "))
        return picked[:1] if twice else picked

    lines: list[str] = []
    for table, hooks in where:
        user = ("U1", "U2") if table in ("mangle", "filter") else ()
        lines.append(f"*{table}")
        for hook in hooks:
            policy = choose.choice(("ACCEPT", "ACCEPT", "DROP")) if table == "filter" else "ACCEPT"
            lines.append(f":{hook} {policy} [0:0]")
        lines += [f":{name} - [0:0]" for name in user]
        if table == "filter":  # without any rule that needs it, conntrack is off, and nat is never asked
            lines += [] if "OUTPUT" in hooks else [":OUTPUT ACCEPT [0:0]"]
            lines.append("-A OUTPUT -m conntrack --ctstate NEW")
        for chain in (*hooks, *user):
            for _ in range(choose.randrange(1, 5)):
                words, targets = match(chain, table), _targets(choose, table, chain, where)
                if table == "nat" and chain in ("PREROUTING", "OUTPUT"):
                    words = [one for one in words if "-p " not in one] + ["-p tcp"]
                if chain in hooks and user:
                    targets += [f"-j {choose.choice(user)}", f"-g {choose.choice(user)}"]
                elif chain == "U1":
                    targets += ["-j U2", "-g U2"]
                lines.append(" ".join(["-A", chain, *words, choose.choice(targets)]).strip())
        lines.append("COMMIT")
    return "\n".join(lines) + "\n"


MARKS = (
    "meta mark set meta mark or 0x2", "meta mark set meta mark and 0x1", "meta mark set ip saddr map @marks",
    "ct mark set meta mark", "meta mark set ct mark xor 0x1", "ip ttl set 2", "ip dscp set cs1", "notrack",
    "log prefix \"x\"",
)  # fmt: skip


def random_native(seed: int) -> str:
    """Invent rules for ``nft -f``."""
    choose = random.Random(seed)

    def match(hook: str) -> str:
        no = choose.choice(("", "", "!= "))
        sources = ("10.77.0.2", "10.77.0.0/24", "{ 10.77.0.2, 10.77.9.9 }", "10.77.0.2-10.77.0.3")
        kinds = [
            "",
            f"ip saddr {no}{choose.choice(sources)}",
            f"ip daddr {no}{choose.choice(('@behind', '10.78.0.0/24', LEFT))}",
            f"iifname {no}{choose.choice(('r0', 'lo', '{ r0, r1 }'))}" if hook != "postrouting" else 'oifname "r1"',
            f"meta l4proto {no}{choose.choice(('tcp', 'udp', '{ tcp, icmp }'))}",
            f"tcp dport {no}{choose.choice(('80', '{ 53, 443 }', '1000-1300'))}",
            f"udp sport {no}{choose.choice(('@low', '53'))}",
            f"ct state {choose.choice(('new', 'established,related', 'invalid'))}",
            f"meta mark {no}{choose.choice(('0x1', '0x0'))}",
            f"fib daddr type {no}{choose.choice(('local', 'unicast'))}",
            f"icmp type {no}{choose.choice(('echo-request', '13'))}",
            f"ip ttl {choose.choice(('64', '< 64', '> 63'))}",
            "tcp flags & (fin | syn | rst | ack) == syn",
            "ip saddr . tcp dport { 10.77.0.2 . 80, 10.77.0.3 . 443 }",
            "ip saddr . tcp dport @wide",
            f"ip dscp {no}{choose.choice(('cs0', 'cs1', 'ef'))}",
            f"ct direction {no}original",
            f"ct original ip daddr {no}10.78.0.2",
            f"ct mark {no}{choose.choice(('0', '1'))}",
            f"meta mark and 0x3 {choose.choice(('==', '!='))} {choose.choice(('0', '1', '2'))}",
            f"tcp flags {choose.choice(('syn', '!= syn', '{ syn, syn | ack }', 'syn / syn,ack'))}",
            f"iifname {no}{choose.choice(('r*', 'x*'))}" if hook != "postrouting" else "ip version 4",
            f"fib saddr . iif oif {choose.choice(('exists', 'missing'))}" if hook == "prerouting" else "",
            f"ip saddr and 255.255.255.1 {choose.choice(('==', '!='))} 10.77.0.1",
            f"meta l4proto {{ tcp, udp }} th dport {no}@low",
            f"meta length {choose.choice(('> 30', '28', '<= 40'))}",
            "ct status snat,dnat",
        ]
        return choose.choice(kinds)

    def rules(hook: str, *targets: str) -> str:
        lines = []
        for _ in range(choose.randrange(1, 5)):
            target = choose.choice(("", "accept", "return", *targets))
            asked = match(hook)
            if "map @ends" in target and ("icmp" in asked or "udp" in asked):
                asked = ""  # nft takes no two protocols in one rule
            lines.append(f"    {asked} counter {target}".rstrip())
        return "\n".join(lines)

    policy = choose.choice(("accept", "accept", "drop"))
    dispatch = choose.choice(("tcp dport vmap { 80 : jump user, 443 : drop }", "ct state vmap { new : goto user }", ""))
    return f"""
table inet one {{
  set behind {{ type ipv4_addr; elements = {{ {choose.choice(BEHIND)} }}; }}
  set low {{ type inet_service; flags interval; elements = {{ 53, 1000-12000 }}; }}
  set wide {{ type ipv4_addr . inet_service; flags interval; elements = {{ 10.77.0.0/24 . 53-100 }}; }}
  map marks {{ type ipv4_addr : mark; elements = {{ 10.77.0.2 : 1, 10.77.9.9 : 2 }}; }}
  chain user {{
{rules("forward", "drop", "meta mark set 0x1")}
  }}
  chain before {{
    type filter hook prerouting priority mangle; policy accept;
{rules("prerouting", "meta mark set 0x1", "drop", *MARKS)}
  }}
  chain forward {{
    type filter hook forward priority filter; policy {policy};
    ct state new counter
    {dispatch}
{rules("forward", "drop", "jump user", "goto user", "reject")}
  }}
  chain input {{
    type filter hook input priority filter; policy accept;
{rules("input", "drop", "jump user")}
  }}
}}
table ip two {{
  set behind {{ type ipv4_addr; elements = {{ {choose.choice(BEHIND)} }}; }}
  set low {{ type inet_service; elements = {{ 53 }}; }}
  set wide {{ type ipv4_addr . inet_service; flags interval; elements = {{ 10.77.0.0/16 . 80-90 }}; }}
  map ends {{ type inet_service : ipv4_addr; elements = {{ 80 : 10.78.0.3, 443 : 10.78.0.2 }}; }}
  chain translate_dst {{
    type nat hook prerouting priority dstnat; policy accept;
{rules("prerouting", "dnat to 10.78.0.3", "dnat to 10.78.0.2", "dnat to tcp dport map @ends", "redirect")}
  }}
  chain forward {{
    type filter hook forward priority 10; policy accept;
{rules("forward", "drop")}
  }}
  chain translate_src {{
    type nat hook postrouting priority srcnat; policy accept;
{rules("postrouting", "masquerade", f"snat to {RIGHT}")}
  }}
}}
"""


def random_packets(seed: int, count: int) -> list[Sent]:
    """Invent packets, each of a connection of its own."""
    choose = random.Random(seed)
    return [
        Sent(
            number=number,
            proto=choose.choice(("tcp", "udp", "icmp")),
            src=choose.choice(SOURCES),
            dst=choose.choice((*BEHIND, *BEHIND, LEFT)),
            sport=choose.choice((53, 80, 1100)) + 10_000 * (number % 5) + number,
            dport=choose.choice((53, 80, 443, 1000, 1200, 9000)),
            icmp_type=choose.choice((8, 8, 13)),
            tos=choose.choice((0, 0, 0x20, 0xB8)),
        )
        for number in range(1, count + 1)
    ]

"""What rules, routes and settings of the host stop."""

import re

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Words, affected, number, offered, packets, several, texts

NO_PROGRAM = "made by hand, or by a program that is not known"


def _stopped(f: Facts, explanation: str, cause: str, remedy: str | None) -> Words:
    what = f"answers to {packets(f)}" if f.get("of_answer") else packets(f)
    verb = "rejected" if f.get("rejected") else "dropped"
    detail = f"{what} {verb}: {f['cause']}"
    return Words(detail, f"{explanation} {affected(f)}", cause, remedy=remedy)


def _place(f: Facts) -> str:
    by = f"made by {f['owner']}" if f.get("owner") else NO_PROGRAM
    return f"rule {f['number']} of chain {f['chain']}, {by}"


def _acts(f: Facts) -> str:
    """Say which rule or policy it is, as the end of the first sentence."""
    does = "rejects" if f.get("rejected") else "drops"
    if f.get("policy_of"):
        return f"no rule of {f['policy_of']} accepts it, and its policy is DROP"
    if not f.get("chain"):
        return str(f["cause"])
    gone = ", which is gone now," if f.get("past") else ""
    what = "the host's answer" if f.get("of_answer") else "it"
    return f"rule {f['number']} of {f['chain']}{gone} {does} {what}"


def filtered_by_rule(f: Facts) -> Words:
    """A rule or policy of this host, or a firewall elsewhere."""
    if f.get("prohibited_by"):
        source = f["prohibited_by"]
        return Words(
            f"a firewall at {source} prohibits {packets(f)}",
            f"It answered that they are administratively prohibited. {affected(f)}",
            f"a firewall at {source} prohibits it",
            remedy=f"Ask whoever runs {source} to let this traffic pass.",
        )
    where = f"It is {_place(f)}. " if f.get("chain") else ""
    if "packets" not in f:
        who, what = several(texts(f, "who")), several(texts(f, "what"))
        return Words(f"{who} cannot reach {what}: {f['cause']}",
                     f"{where}The recorded rules, run in the kernel's order, stop such packets there.",
                     _acts(f))  # fmt: skip
    if f.get("past"):
        said = f"{where}It was there before the captures ran, and is not any more: the dump from then stops them."
        remedy: str | None = "See who adds and removes rules: a firewall that reloads, fail2ban, a deployment."
        return _stopped(f, said, _acts(f), remedy)
    said = f"{where}The recorded rules, run in the kernel's order, stop these packets there and nowhere before."
    if f.get("strangers"):
        return _stopped(f, said, _acts(f), "Nothing to do, unless they should get in: then let just them pass.")
    deletes = any(" -D " in command or "delete rule" in command for command in texts(f, "commands"))
    advice = "Delete the rule, if nobody needs it." if deletes else "Let just this pass before the rule:"
    if f.get("dockers_gone"):
        gone = f"{said} Docker's own rules are missing from FORWARD: somebody flushed them (iptables -F)."
        return _stopped(
            f, gone, "Docker's rules are gone from FORWARD, and its policy is DROP",
            "systemctl restart docker: it makes its rules again. Let whatever flushed them load its rules before "
            "Docker "
            "starts, and without a flush.",
        )  # fmt: skip
    if limit := _limit(f):
        remedy = "Raise it in the rule, for all whom it meets, or leave these out before it."
        return _stopped(f, said, f"{_acts(f)}: it is a limit, {limit}", remedy)
    if f.get("element") or f.get("lacks"):
        return _by_set(f, said)
    if f.get("spoofed"):
        return _stopped(
            f, f"{said} It drops by the source alone, {f['spoofed']}, which containers have, too.", _acts(f),
            f"Against spoofed sources from outside, let it ask for the way in as well: -i {f['uplink']}. It stops all "
            "containers otherwise; an exception for one of them leaves the others where they are.",
        )  # fmt: skip
    if f.get("policy_of"):
        advice = "Accept just this, before the policy decides."
        if f.get("forwarded") and f.get("in_bridge"):
            advice += f" For the whole network, accept what comes in by {f['in_bridge']}, and established answers."
    if f.get("near_miss"):
        said += (
            f" A rule before it would let them in, “{f['near_miss']}”, but asks for port {f['asked_port']}: that is "
            f"what was asked for; after DNAT they are for port {f['inner_port']}."
        )
        return _stopped(
            f, said, f"{_acts(f)}, for “{f['near_miss']}” asks for the port before DNAT",
            f"Let that rule ask for what was asked: -m conntrack --ctorigdstport {f['asked_port']} --ctdir ORIGINAL "
            f"instead of --dport; or for the container's port, --dport {f['inner_port']}.",
        )  # fmt: skip
    owned = f.get("owner") and f.get("chain") != "DOCKER-USER"
    if owned and not f.get("commands"):
        there = f"The rule is made by {f['owner']}: change it there, for deleted by hand it comes back."
        return _stopped(f, said, _acts(f), f"{there}{_by_its_tool(f)}")
    return _stopped(f, said, _acts(f), offered(f, advice))


def _by_set(f: Facts, said: str) -> Words:
    """A set has what it should not, or lacks what it should have."""
    if f.get("lacks"):
        return _stopped(
            f, f"{said} Others get in by set {f['set']}, which does not have {f['lacks']}.",
            f"set {f['set']} of {f['policy_of']} lacks {f['lacks']}, and its policy is DROP",
            offered(f, "Add the interface to the set, here and in the file that is loaded (/etc/nftables.conf):"),
        )  # fmt: skip
    owner = f.get("owner")
    keeper = f"{owner} keeps the list" if owner else "If a program keeps the list"
    return _stopped(
        f, f"{said} Set {f['set']} has {f['element']}.", f"{_acts(f)}, for set {f['set']} has {f['element']}",
        offered(f, f"Take it out, if it was listed wrongly. {keeper}{':' if owner else ','} take it off there as well, "
                "or put it on its list of exceptions, else it comes back."),
    )  # fmt: skip


LIMITS = {"recent": "hitcount", "hashlimit": "hashlimit-(?:upto|above)", "connlimit": "connlimit-(?:upto|above)",
          "limit": "limit"}  # fmt: skip
"""By match, the option that sets its limit (iptables-extensions(8))."""


def _limit(f: Facts) -> str:
    """Return the limit that a rule sets, as it stands there."""
    rule = str(f.get("cause", ""))
    for match, option in LIMITS.items():
        found = re.search(rf"-m {match} .*?(--{option}\S*\s+\S+)", rule)
        if found:
            return found.group(1).rstrip("”")
    return ""


def _by_its_tool(f: Facts) -> str:
    """Say what to tell a firewall's own program, where that is known."""
    src, dst, bridge = f.get("from"), f.get("to"), f.get("in_bridge")
    port = f" port {f['to_port']} proto {f['to_protocol']}" if f.get("to_port") else ""
    if f.get("owner") == "ufw":
        into = "ufw route allow" if f.get("forwarded") else "ufw allow"
        return f" {into} from {src} to {dst}{port}"
    if f.get("owner") == "firewalld" and bridge:
        return f" firewall-cmd --permanent --zone=docker --change-interface={bridge} && firewall-cmd --reload"
    if f.get("owner") == "firewalld":
        return (
            " Since firewalld 2.3 that is StrictForwardPorts in /etc/firewalld/firewalld.conf: no lets Docker's "
            "published "
            "ports in; or firewall-cmd --add-forward-port for this one."
        )
    if f.get("owner") == "fail2ban":
        jail = str(f.get("chain", "")).removeprefix("f2b-")
        return f" fail2ban-client set {jail} unbanip {src}, and ignoreip = {src} in that jail, if it is one of yours."
    if f.get("owner") == "Docker" and f.get("within"):
        return (
            f" Network {f['within']} was made with enable_icc=false: its containers shall not reach each other. Make "
            "it "
            "without that option, or put those that shall talk on a network of their own."
        )
    return ""


def forwarding_disabled(f: Facts) -> Words:
    """Forwarding is off where packets came in."""
    names = texts(f, "settings")
    if "packets" not in f:
        if number(f, "version") == 6:
            return Words(
                f"IPv6 forwarding is off, network {f['network']} needs it",
                "Containers have IPv6 addresses, but the kernel forwards no IPv6 packet.",
                remedy=f"sysctl -w {names[0]}=1; on an uplink that gets its address by router advertisement also "
                "net.ipv6.conf.UPLINK.accept_ra=2.",
            )
        return Words(
            "IPv4 forwarding is off",
            "The kernel drops every packet that is not for the host itself, so containers reach nothing but the host "
            "and each other. Docker turns forwarding on when it starts; something turned it off again.",
            remedy=f"sysctl -w {names[0]}=1, and set it in /etc/sysctl.d so that it stays.",
        )
    said = "They are for somebody else than this host, and where they came in it does not pass packets on."
    cause = f"{names[0]} is 0" if names else str(f["cause"])
    return _stopped(f, said, cause, offered(f, "Switch it on, and in /etc/sysctl.d as well, so that it stays."))


def loopback_not_routed(f: Facts) -> Words:
    """127.0.0.1 from elsewhere."""
    name, rules = texts(f, "settings")[0], texts(f, "rules")
    by = f"Rule “{rules[0]}” sends them to 127.0.0.1. " if rules else ""
    there = f.get("address") or "the address that is asked"
    return _stopped(
        f,
        f"{by}The kernel drops what comes from another interface for 127.0.0.0/8 where {name} is 0.",
        f"it is sent on to 127.0.0.1, and {name} is 0",
        f"Let the service listen on {there}, too, and delete the rule. {name}=1 would let it pass, and open whatever "
        f"listens on 127.0.0.1 to all who come by {f.get('iif') or 'that interface'}: then restrict it by rules.",
    )


def container_routed_elsewhere(f: Facts) -> Words:
    """A table that comes first."""
    name, way = f["container"], f["way"]
    where = f"table {f['table']}" if f["table"] else "a rule"
    if str(way).startswith("to "):
        said = f"what is for {name} goes {way} by {where}, not to {f['bridge']}"
    else:
        said = f"what is for {name} ends at “{way}” of {where}, and does not get to {f['bridge']}"
    return Words(
        said,
        f"Rule “{f['rule']}” comes before the main table, whose route to the container's network is never asked: "
        "answers "
        f"to it, too, go that way. Clients of VPNs add such rules. {affected(f)}",
        said,
        remedy="Let the network's own route come first:",
    )


def reverse_path_filtered(f: Facts) -> Words:
    """Source validation."""
    names = texts(f, "settings")
    if f.get("counted"):
        return Words(
            f"rp_filter dropped {plural(number(f, 'counted'), 'packet')} that no capture shows",
            f"It is strict on {', '.join(texts(f, 'strict'))}: what comes in there is dropped if answers would leave "
            "by "
            "another interface. Such packets are for this host or its containers, by a second way in.",
            remedy="Capture at all interfaces that lead in (-i IF): which packets are it? If they should pass, give "
            "the host "
            "a route back by the same interface (ip rule, connmark), or set rp_filter to 2 there.",
        )
    if "packets" not in f:
        return Words(
            f"strict reverse path filtering on {', '.join(texts(f, 'strict'))}, with {f['uplinks']} uplinks",
            "With several uplinks, an answer may come in by another one than the route back to its sender uses. Strict "
            "reverse path filtering (RFC 3704) drops such packets, and counts them in IPReversePathFilter only.",
            remedy="sysctl -w net.ipv4.conf.all.rp_filter=2 (loose), and the same for each uplink.",
        )
    said = "Strict source validation drops what comes in by another interface than answers would leave by."
    if f.get("sender"):
        sender, source = f["sender"], f["as_address"]
        own = ", ".join(texts(f, "own"))
        return _stopped(
            f,
            f"{said} {sender} has {own}, and sends as {source}, to which the host has no way there.",
            f"it sends as {source}, which is not its address, and rp_filter drops that",
            f"Let {sender} send with its own address: ip addr and ip route in it show why it does not.",
        )
    what = "loose" if f.get("value") == "2" else "off"
    loosen = f"Set source validation to {what}, or give the host a route back by the same interface."
    remedy = offered(f, loosen) if names else None
    if f.get("outcome") == "not-enough":
        remedy = None
    return _stopped(f, said, str(f["cause"]).replace(": ", " drops it, ", 1), remedy)


def network_isolation(f: Facts) -> Words:
    """Docker's networks."""
    src, dst = f.get("from_container"), f.get("to_container")
    if f.get("internal"):
        said = f"Network {f['internal']} is internal: Docker lets nothing out of it, on purpose."
        cause = f"network {f['internal']} is internal, nothing gets out"
        remedy = "docker network connect a network with a way out, or create it without --internal."
        return _stopped(f, said, cause, remedy)
    if not src and dst:
        said = (
            f"Docker lets nobody outside a network, here {f['outside']}, reach the address in it of container {dst}, "
            f"{f['address']}, on purpose."
        )
        published, port = f.get("published"), f["port"]
        way = f"it is published as {published}: use the host's address" if published else f"docker run -p {port}:{port}"
        remedy = f"From outside, use a published port of {dst}: {way}."
        return _stopped(f, said, "from outside Docker lets nobody reach a container's own address", remedy)
    said = "Docker drops what goes from one of its bridge networks to another, on purpose."
    cause = "they share no network, and Docker keeps networks apart"
    if not dst:
        return _stopped(f, said, cause, f"{src or 'The sender'} is on another network: docker network connect.")
    remedy = f"docker network connect {f['network']} {src}, and use {dst}'s name or its address there."
    if f.get("network") == "bridge":  # whose containers have no names
        remedy = (
            f"Put both on one network of their own, where they have names: docker network create NET, docker network "
            f"connect NET {src}, docker network connect NET {dst}."
        )
    return _stopped(f, said, cause, remedy)


def host_unreachable(f: Facts) -> Words:
    """A route, or what a router says."""
    if "cause" in f:
        said = "The recorded routes lead nowhere for this destination."
        if f.get("no_default"):
            return _no_default(f)
        if " in table " in str(f["cause"]) and not f.get("commands"):
            return _stopped(
                f,
                f"{said} A table of its own whose last way is none keeps traffic from leaving beside a tunnel that is "
                "down.",
                str(f["cause"]),
                "Bring up what that table is for (ip rule, ip route show table, wg show): the route that forbids is a "
                "kill switch. Only if that is not meant: ip route del, or another rule.",
            )
        return _stopped(f, said, str(f["cause"]), offered(f, "Remove what leads nowhere, or add the right route."))
    remedy = "Look at the routes there (ip route get ADDRESS), and whether the destination's segment is up."
    told = f"It said so of {packets(f)}. {affected(f)}"
    if "target" not in f:
        return Words(f"{f['destinations']:,} destinations cannot be reached", told, "no way leads there", remedy=remedy)
    if f.get("link_local"):
        sender = f["link_local"]
        return Words(
            f"{sender} sends to {f['target']} from its link-local address, which nobody may route",
            f"It has no other IPv6 address that it may use: none was given, or duplicate address detection failed "
            f"(dadfailed in ip addr), for somebody else has it. {told}",
            f"{sender} has no usable IPv6 address but its link-local one",
            remedy=f"See ip -6 addr in {sender}: tentative or dadfailed means that the address is somebody's already. "
            "Give "
            "it another one, then restart it.",
        )
    who = f["said_by"] or "this host"
    return Words(f"{who} has no way to {f['target']}", told, f"{who} has no way to {f['target']}", remedy=remedy)


def _no_default(f: Facts) -> Words:
    version, uplink = number(f, "no_default"), str(f.get("uplink") or "UPLINK")
    flag = " -6" if version == 6 else ""
    said = f"No route of IPv{version} leads beyond this host's own segments."
    remedy = f"Add one: ip{flag} route add default via ROUTER dev {uplink}, and in the network's configuration."
    if f.get("ignores"):
        said += (
            f" It probably had one by router advertisement: {f['ignores']} is 1, which means none while the host "
            "forwards, and Docker switched forwarding on."
        )
        remedy = (
            f"Let {uplink} take router advertisements though it forwards, and set it in /etc/sysctl.d as well; or add "
            f"a default route by hand."
        )
    return _stopped(f, said, f"the host has no default route for IPv{version}", remedy)


SAYS = {
    "filtered-by-rule": filtered_by_rule,
    "forwarding-disabled": forwarding_disabled,
    "container-routed-elsewhere": container_routed_elsewhere,
    "loopback-not-routed": loopback_not_routed,
    "reverse-path-filtered": reverse_path_filtered,
    "network-isolation": network_isolation,
    "host-unreachable": host_unreachable,
}

"""What two ends say to each other, and do not understand, or do not answer."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, packets, several, texts


def wrong_protocol(f: Facts) -> Words:
    """They do not understand each other."""
    name, server, many = f["name"], f["server"], plural(number(f, "count"), "connection")
    if f["kind"] == "tls":
        return Words(
            f"TLS is spoken to {server}, which answers in plain HTTP: {many}",
            "The client begins with a ClientHello (RFC 8446), and the server answers HTTP/1: it is reached, and has "
            f"no TLS at that port. Clients call that “wrong version number”. {affected(f)}",
            f"it speaks TLS to a port of {name} that speaks plain HTTP",
            verb=Verb.USE,
            remedy="Use http:// for this port, or the port at which the server speaks TLS; or end TLS in a proxy."
            + (" For a registry: insecure-registries in daemon.json." if str(server).endswith(":5000") else ""),
        )
    return Words(
        f"plain HTTP is spoken to {server}, which speaks TLS: {many}",
        f"The client begins with a request of HTTP/1, and the server answers that it wants TLS. {affected(f)}",
        f"it speaks plain HTTP to a port of {name} that speaks TLS",
        verb=Verb.USE,
        remedy="Use https:// for this port, or the server's port for plain HTTP. Behind a proxy: proxy_pass https://...",
    )


def ftp_data_unreachable(f: Facts) -> Words:
    """Named to somebody who cannot go there."""
    server, named, shown, port = f["server"], f["named"], f["shown"], f["port"]
    says = f" The server says {f['code']} to that." if f.get("code") else ""
    if f["why"] == "port-not-published":
        tries = plural(number(f, "connections_tried"), "connection")
        return Words(
            f"FTP names port {port} for data, which {server} does not publish: {tries} to it failed",
            "In passive mode the server chooses a port, and the client connects to it; the port of commands is "
            f"published, and that one is not.{says} {affected(f)}",
            f"FTP's passive port {port} of {server} is not published",
            verb=Verb.USE,
            remedy="Give the server a small range of passive ports (vsftpd: pasv_min_port, pasv_max_port; proftpd: "
            "PassivePorts) and publish just these, e.g. -p 30000-30009:30000-30009, with the address that clients use, "
            f"{shown}, for its pasv_address.",
        )
    if f.get("passive"):
        return Words(
            f"FTP server {server} names {named}:{port} for data, an address that nobody outside reaches",
            f"Its clients know it as {shown}; NAT translates the packets' addresses, not those that FTP says.{says} "
            f"{affected(f)}",
            f"{server} names its inner address {named} for FTP's data",
            verb=Verb.USE,
            remedy=f"Set the address that the server names to the one that clients use, {shown} (vsftpd: pasv_address, "
            "proftpd: MasqueradeAddress), with a range of passive ports that is published under the same numbers.",
        )
    return Words(
        f"FTP's active mode names {named}:{port}, to which {server} cannot connect",
        f"Outside, it is {shown}; NAT translates the packets' addresses, not those that FTP says, unless conntrack's "
        f"FTP helper is told to.{says} {affected(f)}",
        f"it names its inner address {named} to the server, in FTP's active mode",
        verb=Verb.USE,
        remedy="Use passive mode in the client (curl does by default; ftp -p; lftp: ftp:passive-mode on). Or let "
        "conntrack read FTP: modprobe nf_nat_ftp, and iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper "
        "ftp; not possible where FTP is encrypted.",
    )


def reset_on_the_way(f: Facts) -> Words:
    """Not the server."""
    shut, served = texts(f, "shut_names"), texts(f, "served_names")
    who = "the next hop" if f.get("next_hop") else "somebody on the way"
    if shut:
        passes = f", while {several(served)} passes" if served else ""
        return Words(
            f"{packets(f)} at {f['where']} reset connections in the name of {f['server']}: TLS for {several(shut)}",
            f"They have a TTL of {f['ttl']}, and all else from there {f['others_ttl']}: {who} sent them, right after "
            f"the ClientHello, so by the name in it{passes}. {affected(f)}",
            f"{who} resets TLS for {several(shut)}{passes}, not {f['server']} itself",
            verb=Verb.USE,
            remedy=f"A content filter shuts {several(shut)} out: ask whoever runs the network beyond this host to let "
            "it pass; nothing on this host or at the server helps.",
        )
    return Words(
        f"{packets(f)} at {f['where']} reset connections in the name of {f['server']}",
        f"They have a TTL of {f['ttl']}, and all else from there {f['others_ttl']}: somebody on the way sent them, "
        f"right after the client's first data, so by its content. {affected(f)}",
        f"somebody on the way resets it after its first data, not {f['server']} itself",
        verb=Verb.USE,
        remedy="Ask whoever runs the network beyond this host about content filters; nothing on this host resets it.",
    )


def request_unanswered(f: Facts) -> Words:
    """It takes connections, and says nothing."""
    name, server, kind = f["name"], f["server"], f["kind"]
    many = plural(number(f, "count"), "connection")
    wait = number(f, "longest_s")
    if f.get("masked_by"):
        does = "resets it" if kind == "reset" else "closes it" if kind == "closed" else "does not answer"
        return Words(
            f"{server} {does}: {many}",
            f"A rule translates what stays on the bridge, which br_netfilter shows to iptables: “{f['masked_by']}”. So "
            f"the server sees {f['seen_as']}, for whom it may have no entry, instead of its client. {affected(f)}",
            f"it comes to {name} as {f['seen_as']}, for a rule masquerades inside the bridge, and {name} {does}",
            verb=Verb.USE,
            remedy="Limit the rule to what leaves: -o and the uplink's name, or ! -o and the bridge's, as Docker's own "
            "rules have it. Then see in the log of the server whether it takes its client.",
        )
    log = f"See the log of {name}: " if not str(name)[:1].isdigit() else f"See the log of what listens at {server}: "
    if kind == "closed":
        when = "after the first request" if f.get("asked") else "at once"
        return Words(
            f"{server} closed {many} {when}, without a word",
            f"The network did its part: the program there took the connection and closed it (FIN). {affected(f)}",
            f"{name} takes the connection and closes it {when}, without a word",
            verb=Verb.USE,
            remedy=f"{log}an allow-list, a limit of connections, another protocol (TLS) than the client's, or a proxy "
            "whose own server is down.",
        )
    if kind == "reset":
        return Words(
            f"{server} reset {many} after the first request",
            f"The RST has the TTL of all else from there, so it is the server's own: the program crashed, or closed "
            f"the connection with data unread. {affected(f)}",
            f"{name} itself resets the connection after the first request",
            verb=Verb.USE,
            remedy=f"{log}a crash, another protocol (TLS) than the client's, or a limit.",
        )
    if f.get("waiting"):
        program = f.get("program") or "the program there"
        return Words(
            f"{server} took {many} and did not answer for {wait:.1f} s",
            f"The kernel of {name} takes connections and acknowledges requests, and {program} does not accept them: "
            f"{f['waiting']} waited when the recording ended. {affected(f)}",
            f"{program} in {name} does not accept connections, {f['waiting']} wait",
            verb=Verb.USE,
            remedy=f"See what {program} waits for: it hangs, has too few workers, or no file descriptors left (ulimit "
            f"-n). {log.removesuffix(': ')}.",
        )
    return Words(
        f"{server} took {many} and did not answer for {wait:.1f} s",
        f"Its kernel acknowledged the request, and its program sent nothing: it hangs, waits for something else, or "
        f"expects more than the client sent. {affected(f)}",
        f"{name} takes the request and does not answer for {wait:.1f} s",
        verb=Verb.USE,
        remedy=f"{log}what it waits for (a database, a name server, a lock), and docker top, docker stats.",
    )


SAYS = {
    "wrong-protocol": wrong_protocol,
    "ftp-data-unreachable": ftp_data_unreachable,
    "reset-on-the-way": reset_on_the_way,
    "request-unanswered": request_unanswered,
}

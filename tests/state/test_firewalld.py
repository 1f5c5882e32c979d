"""firewalld's zones, as ``firewall-cmd --list-all-zones`` prints them (version 2.3)."""

from analyzer.model.firewalld import Zone
from analyzer.state.firewalld import parse_zones

TOLD = """external (active)
  target: default
  icmp-block-inversion: no
  interfaces: ens18 ens19
  sources: 
  services: ssh
  forward: yes
  masquerade: yes
  forward-ports: 
\tport=8080:proto=tcp:toport=80:toaddr=10.77.0.10
\tport=53:proto=udp:toport=:toaddr=10.77.0.11
  source-ports: 
  rich rules: 
\trule family="ipv4" source address="192.0.2.0/24" accept

public (default, active)
  target: default
  interfaces: 
  masquerade: no
  forward-ports: port=443:proto=tcp:toport=8443:toaddr=
"""  # noqa: W291


def test_zones() -> None:
    """With their interfaces, and the ports that they forward: a line each, or behind the colon."""
    assert parse_zones(TOLD.splitlines()) == (
        Zone("external", ("ens18", "ens19"), masquerades=True,
             forward_ports=("port=8080:proto=tcp:toport=80:toaddr=10.77.0.10",
                            "port=53:proto=udp:toport=:toaddr=10.77.0.11")),
        Zone("public", default=True, forward_ports=("port=443:proto=tcp:toport=8443:toaddr=",)),
    )  # fmt: skip


def test_what_is_no_list_of_zones() -> None:
    """Has none in it, or zones of which nothing is known."""
    assert parse_zones([]) == ()
    assert parse_zones(["FirewallD is not running", "\tx", ":"]) == ()
    assert parse_zones(["work"]) == (Zone("work"),)

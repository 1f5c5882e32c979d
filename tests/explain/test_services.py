"""What kube-proxy's rules say of Services, by comments and by maps."""

from tests.explain.hosts import trace_of


def _told(name: str) -> tuple[object, object]:
    facts = next(one.facts for one in trace_of(name).unworded if one.check == "filtered-by-rule")
    return facts.get("service"), facts.get("endpoints")


def test_a_service_is_named_by_its_rule_or_its_map() -> None:
    """iptables has it in a comment, nftables in the comment of a map's element."""
    assert _told("routed.no-endpoints") == ("default/api:http", "none")
    assert _told("routed.no-endpoints-nft") == ("shop/front:http", "none")
    assert _told("routed.no-local-endpoints") == ("default/edge:http", "local")
    assert _told("routed.wrong-service-port") == (None, "port")


def test_rules_of_others_say_nothing_of_services() -> None:
    """Neither a policy nor a firewall."""
    assert _told("routed.policy-egress") == (None, None)

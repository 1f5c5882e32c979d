"""Facts of a question that nobody answers."""

from analyzer.report.words.sentence import Facts

ASKED: Facts = {"asked": "172.17.0.9", "where": "docker0", "asker": "172.17.0.2", "questions": 1}
OWNED: Facts = {"link": "veth1", "owner": "web", "bridge": "docker0"}
ROUTE: Facts = {"route": "10.9.0.0/16 dev eth0", "dev": "eth0", "prefix": 8, "own": "10.0.0.5", "router": "10.0.0.1"}
NETWORK: Facts = {"network": "n", "driver": "macvlan", "subnet": "172.17.0.0/16"}

"""A real Docker Engine in network namespaces, and the scenarios that are recorded from it.

``python -m tests.lab.record`` makes ``sample_pcaps/`` anew. It needs root, and Debian's docker.io, busybox-static,
iproute2, iptables, nftables, conntrack, tcpdump, ethtool and iputils-ping. Nothing leaves the machine: the
namespaces have no way out of it, and nothing outside them is changed.
"""

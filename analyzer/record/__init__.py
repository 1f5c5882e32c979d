"""Records: finds what to capture on a live host, runs tcpdump, collects the host's state, writes bundles."""

"""What several hypotheses ask of a host's own state: networks, uplinks, and packets that nobody sent."""

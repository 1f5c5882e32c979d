"""HOPS and the host's state to one Journey, on request."""

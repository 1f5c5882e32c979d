"""HOPS and the host's state to one Journey, on request, and to what reports draw of all."""

"""Faults that the lab makes on a real Docker host, recorded with ``hoptrace capture``, and what they are called."""

"""Packets and connections, answers, errors, and how packets ended."""

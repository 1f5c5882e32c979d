"""Bundles made fit to be shown: addresses, MACs, names and payloads replaced, and all else as it was."""

"""Reads: captures in every format, whole or damaged, and the bundles that they are in."""

"""Bundles written anew."""

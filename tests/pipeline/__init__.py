"""The stages together."""

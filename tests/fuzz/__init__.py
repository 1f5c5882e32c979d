"""Inputs that were changed at random: each gives a report, or one of the errors that are documented."""

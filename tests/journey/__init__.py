"""Journeys: steps, words, selections, and what reports draw."""

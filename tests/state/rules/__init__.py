"""Tests of state.rules."""

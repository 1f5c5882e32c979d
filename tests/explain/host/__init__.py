"""Tests of explain/host."""

"""Tests of correlate."""

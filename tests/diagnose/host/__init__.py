"""Tests of diagnose/host."""

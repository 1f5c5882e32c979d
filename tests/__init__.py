"""Tests of hoptrace; the folders mirror ``analyzer/``."""

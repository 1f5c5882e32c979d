"""Tests of host.netfilter."""

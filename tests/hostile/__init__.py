"""Inputs that mean harm: 60 of them, each with a limit of memory and time that analysing it must keep."""

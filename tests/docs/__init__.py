"""The README and docs/: what they show is made, and what they name is there."""

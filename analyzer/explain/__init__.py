"""What went wrong, and why: symptoms and the host's state to findings."""

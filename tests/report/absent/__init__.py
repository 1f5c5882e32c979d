"""Why an address does not answer: its words."""

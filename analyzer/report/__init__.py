"""Results to terminal, JSON and other formats."""

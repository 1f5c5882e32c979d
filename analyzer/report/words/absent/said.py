"""What is said of one reason."""

Said = tuple[str, str, str]
"""The end of the first sentence, an explanation, and what helps."""

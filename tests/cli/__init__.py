"""The commands, each by itself."""

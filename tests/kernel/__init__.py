"""What decoding means, header by header."""

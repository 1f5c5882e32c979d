"""What the model says of itself."""

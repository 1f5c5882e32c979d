"""What each capture is: its point's name, role, container and host."""

"""What dumps tell of a host: recorded command output to HostState."""

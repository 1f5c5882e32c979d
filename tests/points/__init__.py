"""What captures are: names, roles, containers; and captures that are one."""

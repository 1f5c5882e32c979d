"""Docker hosts of other kinds than the lab's own: other engines, other versions, other owners of rules."""

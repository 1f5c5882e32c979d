"""Which tuples are one connection: identities, votes, the NAT mapping, clocks."""

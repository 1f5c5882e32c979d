"""FRAMES to HOPS and CONNECTIONS: which frames are the same packet, and which connection it belongs to."""

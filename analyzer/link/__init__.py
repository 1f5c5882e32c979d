"""FRAMES to conversations: which frames may be one packet, which tuples one connection, and clocks."""

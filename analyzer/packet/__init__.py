"""A part's frames to packets: HOPS and CONNECTIONS, answers, errors, and how each packet ended."""

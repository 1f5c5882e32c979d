"""Records to FRAMES, QUOTES and NEIGHBOURS: ``vector`` decodes all frames at once, ``reference`` defines right."""

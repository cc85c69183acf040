"""Which rules an event matches, and why not: pure, bound once when the rules load."""

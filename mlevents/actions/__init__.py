"""What can be done: one action a file, found by the name in `uses`."""

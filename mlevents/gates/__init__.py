"""What a response must pass before it acts: one gate a file."""

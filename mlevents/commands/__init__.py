"""What `python -m mlevents` can do: one command a file."""

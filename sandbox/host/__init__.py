"""The Functions host: the app in a process of its own, its triggers and its HTTP functions."""

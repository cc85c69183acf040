"""The app in a process of its own, run by Microsoft's worker library, and how the host talks to it."""

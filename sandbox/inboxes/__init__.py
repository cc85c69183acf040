"""What people would receive: mail and messages."""

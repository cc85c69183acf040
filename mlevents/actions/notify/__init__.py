"""Notifying people: the action, its messages, and who has received them."""

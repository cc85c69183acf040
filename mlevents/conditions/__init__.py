"""Operators of `where`: one a file, strict when bound, total when asked."""

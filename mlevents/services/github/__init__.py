"""GitHub: workflows and their runs, and issues."""

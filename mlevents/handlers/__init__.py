"""What wakes us: one module a function; nothing else imports the Functions host's libraries."""

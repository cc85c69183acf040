"""Mail, by Azure Communication Services or SMTP."""

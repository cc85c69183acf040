"""The Functions host: triggers, HTTP functions, and starting and ending the app."""

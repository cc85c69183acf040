"""One Azure (or other) service a file; nothing else imports an SDK, and here only inside functions."""

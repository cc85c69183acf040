"""The sandbox's own page: what only a sandbox can do, for people with a browser."""

"""The console: pages over the API, for people with a browser. They can do nothing that the API cannot."""

"""Azure DevOps' REST API, as far as the app uses it."""

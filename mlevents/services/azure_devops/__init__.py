"""Azure DevOps: pipelines and their runs, and work items."""

"""Azure Data Factory: pipelines and their runs."""

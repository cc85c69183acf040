"""Azure Data Factory: one factory, its pipelines and their runs."""

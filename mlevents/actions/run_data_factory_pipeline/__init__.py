"""Starting a pipeline of Azure Data Factory."""

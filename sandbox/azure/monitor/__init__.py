"""Azure Monitor: the metrics of the online endpoints."""

"""Azure resources and the steps around their deployment; never deployed itself."""

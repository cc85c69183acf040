"""Starting a pipeline of Azure Machine Learning."""

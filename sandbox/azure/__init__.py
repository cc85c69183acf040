"""Azure Resource Manager for Azure Machine Learning and Data Factory, in memory."""

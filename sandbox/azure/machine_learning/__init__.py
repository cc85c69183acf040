"""Azure Machine Learning: one workspace, its endpoints, deployments, jobs and models."""

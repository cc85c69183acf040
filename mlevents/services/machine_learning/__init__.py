"""Azure Machine Learning: endpoints, deployments and jobs of a workspace, in repeatable calls."""

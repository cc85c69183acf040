"""The action `run_devops_pipeline`: promotion and deployment that live in Azure Pipelines."""

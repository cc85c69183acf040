"""Event-driven MLOps for Azure Machine Learning: rules turn workspace events into actions."""

"""Deploying a model: the action, its orchestrators, and the decisions that they make."""

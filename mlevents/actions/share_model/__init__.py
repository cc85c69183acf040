"""Copying a registered model to a registry, and from there to another workspace."""

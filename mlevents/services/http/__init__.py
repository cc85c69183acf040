"""Calls to HTTP services outside Azure's SDKs, which a rule file names as connections of the type `http`."""

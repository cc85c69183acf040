"""The action `call_http`: a call to any HTTP service that the rule file names."""

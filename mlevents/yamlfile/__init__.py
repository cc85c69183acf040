"""YAML without its traps: plain values with places, within limits, for rules and the files beside them."""

"""The action `forward`: hands events over to other programs."""

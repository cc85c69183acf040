"""Checks in Azure: is everything there, and allowed, that the rules need?"""

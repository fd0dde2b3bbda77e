"""Totals over independent parts: probability, gradient, moments and draws of the parts."""

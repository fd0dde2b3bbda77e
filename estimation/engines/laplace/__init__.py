"""Nested Laplace approximation of the same blueprint."""

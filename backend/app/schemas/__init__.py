"""Pydantic models: what callers send and what they get."""

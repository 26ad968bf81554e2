"""Branchline's Python side."""

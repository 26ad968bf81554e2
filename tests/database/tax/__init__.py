"""Tests of the room tax."""

"""Tests of the room tenancy."""

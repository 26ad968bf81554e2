"""Tests of the database: the rooms, and the rules that hold for all of them."""

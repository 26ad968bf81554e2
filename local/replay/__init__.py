"""Sends a wholesaler's till file through a running stack, as real users, and proves that it arrived."""

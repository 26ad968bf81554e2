"""Supabase on one machine without Docker, for development and tests: no product logic lives here."""

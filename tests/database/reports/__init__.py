"""Reports: what is owed, what sold, what came in."""

"""The command line `branchline`: a user's desk in a terminal. It holds no rule; the database does."""

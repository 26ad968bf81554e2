"""What every router stands on: settings, tokens, errors, logs, access to Supabase."""

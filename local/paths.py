"""Where things are in a checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / "local"
# The variable lets tests run a whole second stack beside the one in use.
STATE = Path(os.environ.get("BRANCHLINE_STATE") or ROOT / ".branchline")
SQL = LOCAL / "sql"
SUPABASE = ROOT / "supabase"
MIGRATIONS = SUPABASE / "migrations"
CONFIG = SUPABASE / "config.toml"
NODE_MODULES = LOCAL / "node_modules"
GATEWAY_MAIN = LOCAL / "gateway" / "main.mjs"

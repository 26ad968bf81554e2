"""The keys and passwords of a local stack: generated once, kept readable by their owner only."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Keys:
    """The secrets of one stack, in the forms that Supabase gives them."""

    anon_key: str
    service_role_key: str
    jwt_secret: str
    demo_password: str

    @classmethod
    def generate(cls) -> "Keys":
        """Make new random keys."""
        return cls(
            anon_key=f"sb_publishable_{secrets.token_urlsafe(24)}",
            service_role_key=f"sb_secret_{secrets.token_urlsafe(32)}",
            jwt_secret=secrets.token_urlsafe(48),
            # The suffix satisfies every password rule that config.toml can ask for.
            demo_password=f"{secrets.token_urlsafe(9)}-Aa1",
        )

    @classmethod
    def load_or_generate(cls, file: Path) -> "Keys":
        """Read the keys from `file`, or make them and write the file (mode 0600)."""
        if file.exists():
            return cls(**json.loads(file.read_text()))
        keys = cls.generate()
        write_private(file, json.dumps(asdict(keys), indent=2))
        return keys


def write_private(file: Path, text: str) -> None:
    """Write `text` to `file` so that only the owner can read it, replacing the file in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    fresh.replace(file)

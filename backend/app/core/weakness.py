"""Tells a secret from a placeholder."""

import math
import re
import zlib
from collections import Counter
from itertools import pairwise

MINIMUM_LENGTH = 32

_PLACEHOLDER = re.compile(
    r"super.?secret|your.?(jwt|secret|key|super)|change.?(me|this|it)|replace.?me|placeholder|example|insert.?(here|your)"
    r"|password|secret.?(key|token)|jwt.?secret|at.?least.?32|qwerty|letmein|dummy|sample|todo|test.?secret",
    re.IGNORECASE,
)


def weakness(secret: str) -> str | None:
    """Says in one clause why a secret is weak, or ``None`` when nothing speaks against it.

    The clause never quotes the secret. A random secret of 32 hexadecimal characters passes.
    """
    if len(secret) < MINIMUM_LENGTH:
        return f"is shorter than {MINIMUM_LENGTH} characters"
    if _PLACEHOLDER.search(secret):
        return "is a known placeholder"
    counts = Counter(secret)
    bits_per_character = -sum(n / len(secret) * math.log2(n / len(secret)) for n in counts.values())
    # 32 random characters take about 40 bytes compressed; a repeated word takes about 20, however often it
    # stands there.
    repetitive = len(zlib.compress(secret.encode(), 9)) < 36
    steps = sum(abs(ord(b) - ord(a)) <= 1 for a, b in pairwise(secret))
    # Half of a random hexadecimal text never consists of neighbours (expected: an eighth), an alphabet always
    # does.
    if bits_per_character < 3.0 or repetitive or steps > len(secret) / 2:
        return "has too little randomness (make one with: openssl rand -base64 48)"
    return None

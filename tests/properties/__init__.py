"""Stock acts in any order, by anybody: held to a model in Python, and to what must never break."""

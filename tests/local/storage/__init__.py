"""Storage through the gateway."""

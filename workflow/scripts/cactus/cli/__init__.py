"""The command `cactus`: what is stale and why, what comes next, where numbers come from."""

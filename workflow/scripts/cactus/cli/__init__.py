"""The command `cactus`: what is stale and why, what runs next, where numbers come from."""

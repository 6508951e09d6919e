"""Studies: write one, see its keys and what it would do, run it, bring it up to date."""

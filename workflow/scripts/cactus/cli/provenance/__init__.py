"""Where results come from, whether all agree, and why a cell must run again."""

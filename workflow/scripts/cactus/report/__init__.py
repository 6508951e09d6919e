"""The page that shows a whole run, in one file that needs no network."""

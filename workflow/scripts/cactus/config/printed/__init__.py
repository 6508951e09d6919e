"""What tables and figures print of the configuration, besides values."""

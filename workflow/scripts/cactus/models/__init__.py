"""Networks shared by the meta-learners."""

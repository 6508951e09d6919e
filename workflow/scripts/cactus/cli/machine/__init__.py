"""This computer or cluster: whether it can run a study, its data sets, and its queue."""

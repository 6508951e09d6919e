"""The computer or cluster at hand: whether it can run a study, its data sets, its queue."""

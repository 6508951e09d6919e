"""Meta-learners: MAML, ProtoNets, and what those of users are derived from."""

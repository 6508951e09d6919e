"""Meta-learners: MAML and ProtoNets."""

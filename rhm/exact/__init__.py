"""What is exact about a grammar: derivations, likelihoods, posteriors, the perfect rule learner."""

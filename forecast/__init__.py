"""Many runs become probabilities, probabilities are scored."""

"""The proofs of the house; tests/README.md says which suite proves what."""

"""Where bytes come from: one contract, batches and positions."""

"""One file, one sub-command of `edtwin`: its options and what it does."""

"""What the hospital is, how it stands, how it moves."""

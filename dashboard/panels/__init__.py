"""One file, one panel: a pure function of the board."""

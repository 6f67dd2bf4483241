"""Who looked at what and who changed what, when: a log that can only grow, and that tells when it was touched."""

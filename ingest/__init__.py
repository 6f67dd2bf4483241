"""What happened: messages and extracts become events, events become the log."""

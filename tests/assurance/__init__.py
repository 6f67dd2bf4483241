"""What is promised of edtwin and how it is known: its parts, its hazards, its promises. Not shipped in the wheel."""

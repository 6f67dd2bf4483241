"""What `edtwin bench` measures: the engines side by side, what grows with the hospital, whole cycles."""

"""Orders, and a line to the shop."""

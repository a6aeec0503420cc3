"""What the file says, put in place: made whole as a plan, handed to the parts, and again whenever the file changes."""

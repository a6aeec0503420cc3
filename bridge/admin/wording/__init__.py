"""What is the case, in sentences: the same on a page, on a terminal and for a program."""

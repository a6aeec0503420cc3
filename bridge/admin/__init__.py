"""What an operator does and is shown: operations over the store, and the shapes of what comes of them.

Whoever asks (the command line, and whatever comes beside it) only reads what was wanted, and draws a shape.
"""

"""Whom a message is meant for, and where they are reached: by what the event says, and by what the directory says."""

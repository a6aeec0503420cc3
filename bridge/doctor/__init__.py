"""What is wrong with a bridge, asked of everything it stands on: its file, its store, its machine, every service.

Nothing is sent and nothing is changed. What is found is a row each: as it should be, worth a look, or broken, and then
what to do. `examination.py` goes through all of it; each other module knows one thing to look at.
"""

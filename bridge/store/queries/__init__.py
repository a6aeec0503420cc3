"""Every query, one function and one sentence each: the one place to read them all, a file for each verb.

put.py      events, their deliveries                fingerprints.py  which events are repeats
claim.py    what a lane may carry now               settle.py        what became of deliveries
lanes.py    how lanes stand                         threads.py       what a later message updates
records.py  what people look up                     replay.py        what people send again
prune.py    what is old

Between rows and values: `rows.py`. What runs for every event goes through `compiled.py`.
"""

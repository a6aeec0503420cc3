"""Every query, one function and one sentence each, a file for each verb. To begin with:

put.py      events, their deliveries                fingerprints.py  which events are repeats
claim.py    what a lane may carry now               settle.py        what became of deliveries
lanes.py    how lanes stand                         threads.py       what a later message updates
records.py  what people look up, by walk.py         replay.py        what people send again
tallies.py  what is counted in each commit          prune.py         what is old

Between rows and values: `rows.py`. What runs for every event goes through `compiled.py`.
"""

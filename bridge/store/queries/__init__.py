"""Every query, one function and one sentence each: the one place to read them all, a file for each verb.

put.py      events, deliveries, repeats             claim.py    what a lane may carry now
settle.py   what became of deliveries               lanes.py    how lanes stand
forget.py   what is old                             records.py  what people look up
                                                    replay.py   what people send again

Between rows and values: `rows.py`. What runs for every event goes through `compiled.py`.
"""

"""REST: what the pages show and do, for programs, under /api/v1. What is here is imported by the first request.

To add an operation: a function in `asking.py`, `looking.py`, `keeping.py`, `acting.py`, `people.py` or `announcing.py`
and its row there; what it is asked with in `asked.py` or `asked_people.py`; what it answers in `answered.py`, where
`shapes.py` and `people_shapes.py` have no such shape. The document of it all, `openapi.py`, tells of it by itself.
"""

"""REST: what the pages show and do, for programs, under /api/v1. What is here is imported by the first request.

To add an operation: a function in a file of `endpoints/`, and its row there; what it is asked with in
`request_models.py` or `people_request_models.py`; what it answers in `response_models.py`, where `admin/shapes.py` and
`admin/people/shapes.py` have no such shape. The document of it all, `openapi.py`, tells of it by itself.
"""

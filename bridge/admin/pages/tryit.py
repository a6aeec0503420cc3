"""Try it: what would happen if a panel sent this. It changes nothing, so that whoever may look may try."""

import json

from bridge.admin.language import N_
from bridge.admin.pages.previews import figures
from bridge.admin.shapes import Verdict
from bridge.admin.state import ConfigState
from bridge.admin.trials.shapes import SampleShape, Tried, TriedRow
from bridge.admin.trials.trial import sample_shapes, try_it
from bridge.admin.visit import NotThere, PageVariables, Visit
from bridge.admin.wording.verdicts import folded
from bridge.errors import BridgeError
from bridge.store.queries.records import event as stored_event


def view(visit: Visit) -> PageVariables:
    if (id_ := visit.query.get("event")) is not None:
        return _of_event(visit, id_)
    asked = visit.form or visit.query
    source = asked.get("source") or next(iter(visit.state.dry_run.sources), "")
    samples = sample_shapes(visit.state.dry_run, source, visit.now) if source in visit.state.dry_run.sources else []
    sample = _chosen(asked.get("sample", ""), samples)
    body = visit.form.get("body", sample.body if sample else "")
    return _variables(visit, source=source, samples=samples, sample=sample.name if sample else "", body=body)


def _of_event(visit: Visit, id_: str) -> PageVariables:
    """By today's table, what came in some time ago."""
    stored = visit.ledger.read(stored_event, id_)
    if stored is None:
        raise NotThere(N_("there is no event %(id)s"), id=id_)
    tried = try_it(visit.state.dry_run, at=visit.now, event=stored[0], words=visit.language)
    return _shown(visit, tried) | {"of_event": stored[0], "source": "", "samples": (), "sample": "", "body": ""}


def _chosen(name: str, samples: list[SampleShape]) -> SampleShape | None:
    """The sample of that name, the first one where there is none."""
    return next((one for one in samples if one.name == name), samples[0] if samples else None)


def _variables(visit: Visit, *, source: str, samples: list[SampleShape], sample: str, body: str) -> PageVariables:
    asked = {"of_event": None, "source": source, "samples": samples, "sample": sample, "body": body}
    if not source:
        return {"tried": None, "events": (), "fault": None, "sources": (), **asked}
    try:
        tried = try_it(
            visit.state.dry_run,
            at=visit.now,
            source=source,
            named=sample or None,
            body=body.replace("\r\n", "\n").encode("utf-8", "replace"),
            words=visit.language,
        )
    except BridgeError as error:
        return {"tried": None, "events": (), "fault": str(error), "sources": _sources(visit.state), **asked}
    return {**_shown(visit, tried), **asked}


def _shown(visit: Visit, tried: Tried) -> dict[str, object]:
    events = [
        {
            "event": one,
            "understood": json.dumps(one.data, ensure_ascii=False, indent=2),
            "rows": [_row(row) for row in folded(one.verdicts)],
            "looks": figures(one.previews, visit.state, visit.language),
        }
        for one in tried.events
    ]
    return {"tried": tried, "events": events, "fault": None, "sources": _sources(visit.state)}


def _row(row: Verdict | int) -> PageVariables:
    if not isinstance(row, TriedRow):
        return {"folded": row}
    return {**dict(row), "folded": None, "name": row.row, "why": row.sentence}


def _sources(state: ConfigState) -> list[tuple[str, str]]:
    return [(name, settings.panel) for name, settings in state.dry_run.sources.items()]

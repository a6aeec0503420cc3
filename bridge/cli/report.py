"""`report`: what happened in the last day, week or month, as it is told in the morning."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, print_json
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.messages import show_preview
from bridge.errors import BridgeError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.config.model import Config
    from bridge.intake import Routed
    from bridge.store.ledger import Ledger


def report(
    name: Annotated[
        str | None, typer.Argument(help="The report, by its name in the file; all of them.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    send: Annotated[bool, typer.Option("--send", help="Send it to its sinks too, by the running bridge.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a report on the last day, week or month, as each of its sinks would get it; it is sent only with --send."""
    settings, now = load_settings(config), datetime.now(UTC)
    names = _names(settings, name)
    with existing_ledger(settings) as ledger:
        found = [made for one in names for made in _made(ledger, settings, one, now)]
        if as_json:
            print_json([routed.event.to_json() for _, routed in found])
        else:
            _show(settings, [routed for _, routed in found], now)
        for realm, routed in found if send else ():
            _send(ledger, routed, realm)


def _names(settings: "Config", name: str | None) -> list[str]:
    from bridge.config.errors import suggestion

    if not settings.reports:
        raise BridgeError('report: the file has none: write reports: {morning: {at: "09:00", to: NAME OF A SINK}}')
    if name is not None and name not in settings.reports:
        raise UnknownName(f'no report named "{name}": {suggestion(name, list(settings.reports))}')
    return [name] if name is not None else list(settings.reports)


def _made(ledger: "Ledger", settings: "Config", name: str, now: datetime) -> "Iterator[tuple[str | None, Routed]]":
    """The report on what is over by now, with where it goes; of one for each owner all of them, with their realms."""
    from bridge.admin.trials.dry_run import dry_run
    from bridge.reload.parts import report_plan
    from bridge.store.queries.figures import collected
    from bridge.store.queries.owners import owner_figures, owners_of
    from bridge.value import replace

    plan = report_plan(settings, dry_run(settings).router)
    due = plan.due(name, now)
    if due is None:
        raise BridgeError(f"report {name}: there is nothing to tell of yet")
    due = replace(due, due=replace(due.due, at=now))  # it is asked for now, and so is not late
    if due.settings.each is None:
        routed = plan.routed(due, due.alert(ledger.read(collected, due.spans, due.parts), now), now)
        yield None, replace(routed, fingerprint=None)  # beside the one that is told at its time
        return
    for owner in ledger.read(owners_of, due.spans[0]):
        for realm in plan.realms:
            if (figures := ledger.read(owner_figures, realm, owner, due.spans, due.parts)) is not None:
                yield realm, replace(plan.routed_to_owner(due, figures, now), fingerprint=None)


def _show(settings: "Config", found: "Sequence[Routed]", now: datetime) -> None:
    from bridge.admin.trials.dry_run import dry_run
    from bridge.admin.trials.preview import preview

    ready = dry_run(settings)
    for routed in found:
        for to in routed.destinations:
            show_preview(preview(routed.event, ready.sink(to.sink), ready.renderer, at=now, to=to))


def _send(ledger: "Ledger", routed: "Routed", realm: str | None) -> None:
    from bridge.intake import NO_TABLE, Intake
    from bridge.store.queries.put import put
    from bridge.value import replace

    if not routed.destinations:
        raise BridgeError("report: none of its sinks is enabled")
    kept = replace(routed, decision=replace(routed.decision, table=NO_TABLE, matched=(), failed=()))
    ledger.write(put, [Intake([kept], realm=realm)])
    audit(ledger, "report", name=routed.event.subject, sinks=[one.sink for one in routed.destinations])
    print(f"{routed.event.subject}: sent to {', '.join(one.sink for one in routed.destinations)}")

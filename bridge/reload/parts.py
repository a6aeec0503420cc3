"""The parts that do what the file says, and what each of them is told of a plan."""

from collections.abc import Mapping

from bridge.admin.server import Admin
from bridge.admin.state import ConfigState
from bridge.alerts.desk import AlertDesk, AlertPlan
from bridge.alerts.reporting import Reporter, ReportPlan
from bridge.alerts.settings import AlertSettings
from bridge.config.model import Config
from bridge.delivery.dispatcher import Dispatcher
from bridge.ingress.receiver import Receiver
from bridge.panels.base import PolledConfig
from bridge.polling.bot import BotPlan, Bots
from bridge.polling.inbox import Inboxes
from bridge.polling.poller import Poller
from bridge.reload.plan import BridgePlan
from bridge.routing import Router
from bridge.sinks import SinkSettings
from bridge.value import Value


class Parts(Value, kw_only=True):
    """All of them: whoever adds one has it configured here."""

    receiver: Receiver
    dispatcher: Dispatcher
    alerts: AlertDesk
    reporter: Reporter
    poller: Poller
    bots: Bots
    inboxes: Inboxes
    admin: Admin

    async def configure(self, plan: BridgePlan, state: ConfigState, *, grace: float) -> None:
        """From now on by this plan, at once for what comes in, and lane by lane for what goes out.

        state: what the admin side is told of the file
        grace: seconds for sinks that are replaced, to end what they are sending
        """
        self.receiver.configure(plan.sources, plan.router, changing=_changing(plan.settings))
        self.alerts.configure(alert_plan(plan))
        self.reporter.configure(report_plan(plan.config, plan.router))
        self.poller.configure(plan.jobs, plan.router)
        self.bots.configure(bot_plans(plan))
        self.inboxes.configure(plan.inboxes)
        self.admin.configure(state)
        await self.dispatcher.carry(plan.sinks, plan.lanes, grace=grace)


def _changing(settings: Mapping[str, SinkSettings]) -> set[str]:
    """The sinks that can change what they were told."""
    return {name for name, one in settings.items() if one.cannot_update("subject") is None}


def alert_plan(plan: BridgePlan) -> AlertPlan | None:
    """How the bridge tells of itself; None where the file wants nothing told."""
    config = plan.config
    if not config.wants_alerts():
        return None
    settings = config.alerts or AlertSettings()
    return AlertPlan(
        settings,
        plan.router,
        plan.renderer,
        sinks={name: plan.sinks[name] for name in settings.to if name in plan.sinks},
        silent_after={name: one.silent_after for name, one in config.sources.items() if one.silent_after is not None},
    )


def report_plan(config: Config, router: Router) -> ReportPlan:
    """What the file wants told of days and weeks."""
    limits = {name: one.silent_after for name, one in config.sources.items() if not isinstance(one, PolledConfig)}
    return ReportPlan(
        config.reports,
        config.zone(),
        router,
        frozenset(config.enabled_sinks()),
        {name: limit if isinstance(limit, float) else None for name, limit in limits.items()},
        sorted(set(config.realms().values())),
    )


def bot_plans(plan: BridgePlan) -> list[BotPlan]:
    """The bots that customers write to: the file's own, and those that brands have in its place. What customers show is
    taken by the file's own alone: it says nothing of whose they are.
    """
    config, links = plan.config, plan.lanes.links
    ears, people = config.ears(), config.people
    if ears is None or people is None or links is None:
        return []
    rules, realms = config.rules(), sorted(set(config.realms().values()))
    plans = [BotPlan(ears, rules, config.locale, people.support, links, plan.proof_key, realms)]
    for name, heard in config.brands_ears().items():
        brand = people.brands[name]
        plans.append(BotPlan(heard, rules, brand.locale or config.locale, brand.support, links.brands[name]))
    return plans

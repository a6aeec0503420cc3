"""However a template mixes its own words with the event's, the event's are escaped."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.messages.renderer import Renderer
from bridge.sinks import SERVICES
from tests.messages.hostile import harmless
from tests.messages.speech import event, said

MIXTURES = [
    "{{ x ~ '!' }}",
    "{{ (n|bold) ~ x }}",
    "{{ x ~ (n|bold) }}",
    "{{ (n|code) + x }}",
    "{{ x + (n|code) }}",
    "{{ (n|bold ~ '%s') % x }}",
    "{{ '%s'|format(x) }}",
    "{{ (n|bold)|replace('a', x) }}",
    "{{ x|replace('z', n|bold) }}",
    "{{ [n|bold, x]|join(', ') }}",
    "{{ [n, x]|join(n|bold) }}",
    "{{ [n, n]|join(x) }}",
    "{{ x|e }}{{ x|escape }}{{ x|forceescape }}",
    "{{ x|upper }}{{ x|title }}{{ x|trim }}",
    "{{ x|tojson }}{{ [x]|tojson }}{{ [x] }}{{ {'a': x} }}",
    "{{ x|string|list|join }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x) }}{{ m(n) ~ x }}{{ m(n) + x }}{{ m(n).join([x, x]) }}",
    "{% macro c() %}{{ caller() }}{% endmacro %}{% call c() %}{{ x }}{% endcall %}",
    "{% set y %}{{ n }}{% endset %}{{ y ~ x }}{{ y + x }}{{ (y ~ '{}').format(x) }}",
    "{% filter trim %}{{ x }}{% endfilter %}",
    "{% trans x=x %}see {{ x }}{% endtrans %}",
    "{% trans x=x, count=2 %}one {{ x }}{% pluralize %}{{ count }} {{ x }}{% endtrans %}",
    "{{ _('see %(x)s', x=x) }}",
    "{{ x|default(n|bold) }}{{ n.nothing|default(x) }}",
    "{{ x|brief ~ (n|bold) }}{{ x|size ~ x|when ~ x|status ~ x|money(x) ~ x|percent ~ x|days }}",
    "{{ x|link(x) }}{{ n|link(x) }}{{ x|link('https://example.com/') }}",
    "{{ x|code }}{{ x|bold }}{{ x|plain }}",
]


@pytest.mark.parametrize("source", MIXTURES)
@pytest.mark.parametrize("service", SERVICES)
def test_however_a_template_mixes_it_data_is_escaped(tmp_path: Path, service: str, source: str) -> None:
    (tmp_path / service).mkdir()
    top = '{% set n = "a" %}{% set x = data.user.username %}'
    [block] = {"text", "description"}.intersection(SERVICES[service].blocks)
    (tmp_path / service / "user.j2").write_text(f"{{% block {block} %}}{top}{source}{{% endblock %}}", encoding="utf-8")
    renderer = Renderer(folders=[tmp_path], timezone=ZoneInfo("UTC"), locale="en")
    for hostile in ("<!channel>", "<@1>", "@everyone", "@durov", "<b>", "a & b", "x @here"):
        blocks = said(service, event("user.created", {"user": {"username": hostile}}), renderer)
        harmless(service, blocks)
        if service == "discord" and "plain" not in source and "code" not in source:
            assert not re.search(r"(?<!\\)<[!@b]|&(amp|lt);", blocks[block])

"""E-mail, whole: how a letter is handed over, what it looks like, and how text is written for it."""

from bridge.sinks.email.sink import EmailConfig as EmailConfig

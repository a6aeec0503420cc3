"""Who may look and who may act: who asks, by which token or session, and what is refused."""

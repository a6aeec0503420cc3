"""What was counted, as Prometheus is told it."""

"""What the bridge tells of itself: it hears of incidents, judges which are worth a message, and puts them as events."""

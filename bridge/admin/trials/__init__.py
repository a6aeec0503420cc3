"""What would be sent, and how it would look, and what would happen if: asked of the file; nothing is kept."""

"""Views: events and replies as safe HTML and plain text. They know no kernel and no model."""

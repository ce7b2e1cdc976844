"""Tasks in the database: queue, worker and live updates."""

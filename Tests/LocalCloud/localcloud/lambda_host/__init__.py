"""Functions as real processes: their own `bootstrap`, a Runtime API, one process per sandbox."""

"""PostgreSQL: its embedded server, tables, writes and searches; the only place that speaks SQL."""

"""PostgreSQL: connections, tables, writes and reads. Here, in app.search and in app.index alone SQL is spoken."""

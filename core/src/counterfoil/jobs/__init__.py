"""Jobs: rows that are their own outbox, leased and fenced, run by Celery workers."""

"""memora's own tables, and what else it keeps: Redis, the job queue, values of the site.

SQL on these tables is here and nowhere else. Content that editors write is read in `curriculum`.
"""

"""Lessons found by a word of what learners read in them: titles, descriptions, the texts of stages.

- `rules/`: what of a stage is read, which letters are the same, and the words by which MariaDB finds a lesson; pure
- `lesson_texts`: keeps the words of each lesson in Memora Lesson Text, in the editor's own save
- `finding`: asks them, for what the caller may read

What learners find in an app is another search: its index is published (`cdn_export.search_indexer`).
"""

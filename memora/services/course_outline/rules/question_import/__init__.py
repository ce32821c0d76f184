"""Questions that people have elsewhere: rows of a spreadsheet, or Moodle's GIFT. Pure.

- `source`: a text → its rows, each with a config or with what keeps it from coming in
- `gift`: splits and reads GIFT; `gift_answers`: what is between its braces
- `spreadsheet`: reads rows by their headings; `table`: cells of a pasted or exported table; `headings`: what columns are
  called in English and Arabic; `answers`: which choices a cell means; `template`: a table to begin with
- `texts`: plain texts and markup out of what was typed, HTML and Markdown; `numerals`: numbers as people type them
- `row`: what all of them answer
"""

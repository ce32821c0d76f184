"""The demo's curriculum: freeCodeCamp's, fetched when the demo runs, and a small one of our own.

freeCodeCamp's curriculum (npm `@freecodecamp/curriculum`) is theirs, under CC BY-SA 4.0. None of it is
kept in this repository; what the demo publishes names it in every subject's description.

`package` fetches and reads it, `mapping` turns it into `pieces`, `school` adds our own subject, the prices
and the plans, `load` inserts all of it through Frappe.
"""

"""What is decided: the files of a subject, which files may be published, what needs an admin's word, what a document must hold.

Pure: no Frappe, no I/O, so each rule is tested in milliseconds. What the rules speak of is in `model`; `builds` reads what
they need and writes what they decide.
"""

"""What people see and press: status lines, dashboard, preview, doctor, connection test, metrics, and the operations behind
commands and buttons.

Nothing below calls it. `memora.api` checks roles and documents; `status_answer` leaves out plans that its caller may not read.
"""

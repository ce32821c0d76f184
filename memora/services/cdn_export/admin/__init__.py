"""What people see and press: status lines, dashboard, preview, doctor, connection test, metrics, and the operations behind
commands and buttons.

Nothing below calls it. Permissions are checked in `memora.api`.
"""

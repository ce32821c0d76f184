"""The gate's rule in Python, as `edge/` has it in JavaScript. Pure."""

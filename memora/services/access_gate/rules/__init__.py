"""What memora itself needs of the gate's rule, as `edge/` has it in JavaScript. Pure.

- `guarded`: which paths are guarded, for whoever writes the headers and the access of what is there
- `tokens`: how a token is made, and its keys are published; and how both are read, to try what was made
"""

"""The job that publishes: `drain` builds what waits, `sweep` does what is due outside any build.

What starts it is `batch_processor`.
"""

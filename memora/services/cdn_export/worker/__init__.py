"""The job that publishes: `drain` goes on while anything waits, `builder` builds it, `sweep` does what is due outside any build.

What starts it is `batch_processor`, by what `due_work` says; `wake_ups` is what saves and the scheduler know of it.
"""

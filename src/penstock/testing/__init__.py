"""Checks of the laws, for penstock's own parts and for a user's.

    check_source(make)                 a source gives the same examples at each opening, ends for good, and refills nothing unseen
    check_stage(make, examples)        a stage gives the same however its input is cut, ends for good, and resumes exactly
    assert_resume_exact(pipeline)      a pipeline that is stopped and resumed gives the batches of one that is not
    no_threads_left()                  after the block, no thread of penstock's is alive

Each raises `AssertionError`, with what was expected and what came.
"""

from penstock.testing.laws import Recut, check_source, check_stage, no_threads_left, same
from penstock.testing.resuming import assert_resume_exact

__all__ = ["Recut", "assert_resume_exact", "check_source", "check_stage", "no_threads_left", "same"]

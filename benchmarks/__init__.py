"""What penstock costs: one question a file, each figure a ratio to a named rival in the same run.

`python -m benchmarks` asks all of them, prints the table and writes `RESULTS.md`; see `python -m benchmarks --help`.
"""

"""Where examples come from: iterables, arrays, components read in step, files; one kind a file."""

from penstock.sources.arrays import ArraySource
from penstock.sources.components import ComponentsSource
from penstock.sources.csv import csv_sources
from penstock.sources.detect import as_source
from penstock.sources.files import Paths
from penstock.sources.flagged import FlaggedSource
from penstock.sources.indexed import IndexedSource
from penstock.sources.ipc import arrow_sources
from penstock.sources.iterables import CallableSource, IterableSource, name_of
from penstock.sources.jsonl import jsonl_sources
from penstock.sources.parquet import parquet_sources
from penstock.sources.text import text_sources

__all__ = [
    "ArraySource",
    "CallableSource",
    "ComponentsSource",
    "FlaggedSource",
    "IndexedSource",
    "IterableSource",
    "Paths",
    "arrow_sources",
    "as_source",
    "csv_sources",
    "jsonl_sources",
    "name_of",
    "parquet_sources",
    "text_sources",
]

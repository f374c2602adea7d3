"""`tf.strings`: the names that TF1 had for texts from 1.13 on."""

from penstock.tf1.coding import string_split as split
from penstock.tf1.coding import string_to_hash_bucket_fast as to_hash_bucket_fast
from penstock.tf1.coding import string_to_number as to_number
from penstock.tf1.coding import substr
from penstock.tf1.math import as_string
from penstock.tf1.math import string_join as join

__all__ = ["as_string", "join", "split", "substr", "to_hash_bucket_fast", "to_number"]

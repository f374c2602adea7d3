"""What becomes of errors: policies, and what was skipped under them."""

from penstock.faults.ledger import Ledger, Quarantine, Skipped, SkipStats
from penstock.faults.policy import RAISE, OnError, Policy, Retry, Skip, policy_of

__all__ = [
    "RAISE",
    "Ledger",
    "OnError",
    "Policy",
    "Quarantine",
    "Retry",
    "Skip",
    "SkipStats",
    "Skipped",
    "policy_of",
]

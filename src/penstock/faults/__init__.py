"""What becomes of errors: policies, and what was skipped under them."""

from penstock.faults.ledger import Ledger, Skipped, SkipStats, together
from penstock.faults.log import SkipLog
from penstock.faults.policy import RAISE, OnError, Policy, Retry, Skip, policy_of
from penstock.faults.quarantine import Quarantine

__all__ = [
    "RAISE",
    "Ledger",
    "OnError",
    "Policy",
    "Quarantine",
    "Retry",
    "Skip",
    "SkipLog",
    "SkipStats",
    "Skipped",
    "policy_of",
    "together",
]

"""The native rings, schedule, sieve and sums, or their twins: the one place where that is decided."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING

import penstock.sampling.estimates as estimates
import penstock.sampling.extras as extras
import penstock.sampling.labels as labels
import penstock.sampling.number_rings as number_rings
import penstock.sampling.prior as prior
import penstock.sampling.rings as rings
import penstock.sampling.sieve as sieve

__all__ = [
    "NATIVE",
    "Extras",
    "NumberRings",
    "Prior",
    "Rings",
    "Sieve",
    "admission",
    "all_below",
    "distance",
    "estimate",
    "most_inputs",
    "spare",
]

_rings_module: ModuleType = rings
_number_rings_module: ModuleType = number_rings
_extras_module: ModuleType = extras
_sieve_module: ModuleType = sieve
_labels_module: ModuleType = labels
_prior_module: ModuleType = prior
_estimates_module: ModuleType = estimates
if os.environ.get("PENSTOCK_NATIVE") != "0":
    try:
        import penstock.sampling._estimates as _estimates
        import penstock.sampling._extras as _extras
        import penstock.sampling._labels as _labels
        import penstock.sampling._number_rings as _number_rings
        import penstock.sampling._prior as _prior
        import penstock.sampling._rings as _rings
        import penstock.sampling._sieve as _sieve
    except ImportError as error:
        if not (error.name or "").startswith("penstock.sampling"):
            raise
    else:
        _rings_module, _extras_module, _sieve_module = _rings, _extras, _sieve
        _labels_module = _labels
        _estimates_module, _number_rings_module, _prior_module = _estimates, _number_rings, _prior

NATIVE = _rings_module is not rings
"""Whether the native parts are used."""

if TYPE_CHECKING:  # The twins are the definition.
    from penstock.sampling.estimates import admission, distance, estimate, most_inputs, spare
    from penstock.sampling.extras import Extras
    from penstock.sampling.labels import all_below
    from penstock.sampling.number_rings import NumberRings
    from penstock.sampling.prior import Prior
    from penstock.sampling.rings import Rings
    from penstock.sampling.sieve import Sieve
else:
    Extras = _extras_module.Extras
    NumberRings = _number_rings_module.NumberRings
    Prior = _prior_module.Prior
    Rings = _rings_module.Rings
    Sieve = _sieve_module.Sieve
    all_below = _labels_module.all_below
    admission = _estimates_module.admission
    distance = _estimates_module.distance
    estimate = _estimates_module.estimate
    most_inputs = _estimates_module.most_inputs
    spare = _estimates_module.spare

"""The codes that FHIR R4 binds: what may stand in a field that is read. A code outside its list is a fault."""

from __future__ import annotations

from collections.abc import Mapping

ENCOUNTER_STATUSES = (
    "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown",
)  # fmt: skip
CLASSES = ("AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS", "VR")
"""ActEncounterCode."""
LOCATION_STATUSES = ("planned", "active", "reserved", "completed")
"""Of a location of an encounter."""
BED_STATUSES: Mapping[str, str] = {
    "C": "closed", "H": "cleaning", "I": "blocked", "K": "blocked", "O": "occupied", "U": "ready",
}  # fmt: skip
"""HL7 v2 table 0116, which Location.operationalStatus prefers: isolated and contaminated beds take nobody."""
PLACE_STATUSES: Mapping[str, str | None] = {"active": None, "suspended": "blocked", "inactive": "closed"}
"""Location.status: what it makes of a bed whose operational status is not told."""
GENDERS: Mapping[str, str | None] = {"male": "male", "female": "female", "other": None, "unknown": None}
BUNDLE_TYPES = (
    "document", "message", "transaction", "transaction-response", "batch", "batch-response", "history", "searchset",
    "collection", "subscription-notification",
)  # fmt: skip
"""Those of R4, and the type that R5 gives to notifications."""
LOOSE_BUNDLES = ("batch", "collection", "searchset", "history")
"""Bundles whose entries stand each for itself: one at fault does not touch the others."""
ANSWERS = ("transaction-response", "batch-response", "document")
"""Bundles that tell of nothing that happened to a visit."""
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")
RESOURCE_TYPES = (
    "Encounter", "Location", "Patient", "Parameters", "SubscriptionStatus", "MessageHeader", "OperationOutcome",
    "Organization", "Practitioner", "Observation", "Condition", "ServiceRequest", "Procedure",
)  # fmt: skip
"""Types of which the name is kept; of these only Encounter and Location are read."""

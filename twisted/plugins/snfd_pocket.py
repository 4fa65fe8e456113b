"""Makes ``twistd snfd-pocket`` known."""

from twisted.application.service import ServiceMaker

snfd_pocket = ServiceMaker(
    "snfd pocket cluster",
    "pocket.tap",
    "A one-node cluster that speaks Ganeti's RAPI, for demos and tests.",
    "snfd-pocket",
)

"""Makes ``twistd`` know ``snfd``."""

from twisted.application.service import ServiceMaker

snfd = ServiceMaker("snfd", "snfd.tap", "A whole cloud in one process", "snfd")

"""Every noun of ``snfctl`` that needs a daemon."""

from __future__ import annotations

from snfd.admin.ctl.nouns.addresses import FLOATING_IP, PORT
from snfd.admin.ctl.nouns.backends import BACKEND
from snfd.admin.ctl.nouns.logins import CLIENT, POLICY
from snfd.admin.ctl.nouns.networks import NETWORK
from snfd.admin.ctl.nouns.operations import AUDIT, DOCTOR, MAIL, STATS
from snfd.admin.ctl.nouns.people import GROUP, USER
from snfd.admin.ctl.nouns.projects import PROJECT
from snfd.admin.ctl.nouns.quotas import COMMISSION, QUOTA, RESOURCE
from snfd.admin.ctl.nouns.ranges import POOL, SUBNET
from snfd.admin.ctl.nouns.registry import COMPONENT, SERVICE, TERMS
from snfd.admin.ctl.nouns.servers import HELPDESK, SERVER
from snfd.admin.ctl.nouns.tokens import SESSION, TOKEN
from snfd.admin.ctl.nouns.upkeep import JOB, RECONCILE
from snfd.admin.ctl.verbs import Noun

NOUNS: tuple[Noun, ...] = (
    USER,
    GROUP,
    PROJECT,
    QUOTA,
    COMMISSION,
    RESOURCE,
    SERVICE,
    COMPONENT,
    TERMS,
    BACKEND,
    SERVER,
    HELPDESK,
    NETWORK,
    SUBNET,
    PORT,
    FLOATING_IP,
    POOL,
    POLICY,
    CLIENT,
    TOKEN,
    SESSION,
    MAIL,
    AUDIT,
    STATS,
    DOCTOR,
    JOB,
    RECONCILE,
)
"""In the order in which they are documented."""

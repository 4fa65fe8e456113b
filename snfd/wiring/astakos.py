"""The parts of identity beyond logging in: accounts, projects, registry, mail."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from uuid import uuid4

from snfd.admin.doctor import Doctor
from snfd.admin.service import Administration
from snfd.cloud import Astakos
from snfd.compute.store import charges
from snfd.identity.allowance import Allowance
from snfd.identity.credentials import Credentials
from snfd.identity.directory import Directory
from snfd.identity.people import People
from snfd.identity.second_factor import SecondFactors
from snfd.mail.feedback import Feedback
from snfd.mail.service import Post
from snfd.mail.staff import Staff
from snfd.projects.application_store import undecided
from snfd.quota.commissions import Commissions
from snfd.quota.integrity import Integrity, Recount
from snfd.quota.reports import Reports
from snfd.registry.importing import Services
from snfd.registry.service import Registry
from snfd.registry.tokens import Components
from snfd.wiring.accounts import accounts
from snfd.wiring.logins import weblogin
from snfd.wiring.projects import projects

if TYPE_CHECKING:
    from snfd.db.port import Database
    from snfd.identity.notices import Told
    from snfd.identity.proof import Verifier
    from snfd.tasks import Tasks
    from snfd.wiring import Ground


LETTERS = 5
"""Letters that a user may send to the helpdesk in a minute."""

NAMES = 2000
"""Names that a user may ask for in a minute and nobody has: guesses, mostly."""


FORMS = 30
"""Forms that send letters or open accounts, of one address in a minute: it may be
an office."""


def astakos(
    ground: Ground, db: Database, patient: Database, verifier: Verifier, tasks: Tasks
) -> Astakos:
    """All of them, over what stands already.

    :param patient: has time for what looks through everything.
    """
    post = Post(ground.keys)
    parts = projects(ground, db, post)
    people = accounts(ground, db, verifier, tasks, post, parts.parts.letters)
    told = people.signup.parts.letters.changed
    recount = Recount(charges.ACTUAL, charges.RESOURCES)
    integrity = Integrity(patient, undecided, recount)
    doctor = Doctor(patient, integrity, ground.keys.idents)
    return Astakos(
        projects=parts,
        accounts=people,
        weblogin=weblogin(ground, db, verifier, people),
        admin=Administration.build(db, ground.reactor, parts, post, doctor),
        credentials=Credentials(db, ground.reactor, uuid4, secrets.token_bytes, told),
        directory=Directory(db),
        second_factors=_second_factors(ground, db, verifier, told),
        components=Components(db, ground.reactor),
        commissions=Commissions(db, balanced=ground.config.quota.balanced),
        registry=Registry(db, ground.reactor, secrets.token_bytes),
        services=Services(db),
        reports=Reports(db),
        integrity=integrity,
        feedback=_feedback(ground, db, post),
        unknown_names=Allowance(db, ground.reactor, "unknown names", NAMES),
        forms=Allowance(db, ground.reactor, "forms", FORMS),
    )


def _feedback(ground: Ground, db: Database, post: Post) -> Feedback:
    letters = Allowance(db, ground.reactor, "letters", LETTERS)
    staff = Staff(ground.config.mail.helpdesk)
    return Feedback(db, People(db), post, uuid4, staff, letters)


def _second_factors(
    ground: Ground, db: Database, verifier: Verifier, told: Told
) -> SecondFactors:
    return SecondFactors(
        db,
        verifier,
        ground.reactor,
        ground.keys,
        secrets.token_bytes,
        ground.config.branding.service,
        told,
    )

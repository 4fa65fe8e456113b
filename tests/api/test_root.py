"""The root resource: mounts, request ids, documents, health."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from api.dispatch import build
from api.health import Health, MetricsPage, Readiness
from api.root import Documents, Root
from snfd.errors import Invalid, Unavailable
from snfd.observe import Metrics
from snfd.plugin import Mount
from tests.api.memory import Browser
from tests.api.test_operations import DIALECT, ThingsApi, authenticate


class Where(Resource):
    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        before, after = request.prepath or [], request.postpath or []
        return b"/".join([*before, b"|", *after])


class RootTests(SynchronousTestCase):
    def root(self, *mounts: tuple[str, IResource]) -> Browser:
        placed = [Mount(path, "toy", resource) for path, resource in mounts]
        return Browser(Root(placed, Metrics(), Clock()))

    def test_the_longest_mount_wins(self) -> None:
        http = self.root(("/a", Where()), ("/a/b", Where()))
        self.assertEqual(b"a/|/c", http.get("/a/c").body)
        self.assertEqual(b"a/b/|/c/d", http.get("/a/b/c/d").body)
        self.assertEqual(b"a/|/bc", http.get("/a/bc").body)

    def test_two_mounts_on_one_path_are_refused(self) -> None:
        self.assertRaises(Invalid, self.root, ("/a", Where()), ("/a", Where()))

    def test_every_answer_has_a_request_id(self) -> None:
        http = self.root(("/a", Where()))
        ids = {
            http.get(path).headers["x-openstack-request-id"]
            for path in ("/a", "/a", "/nosuch")
        }
        self.assertEqual(3, len(ids))
        self.assertTrue(all(one.startswith("req-") for one in ids))

    def test_an_unknown_path_is_404(self) -> None:
        self.assertEqual(404, self.root(("/a", Where())).get("/b").status)

    def test_methods_are_counted_only_where_something_may_serve_them(self) -> None:
        metrics = Metrics()
        http = Browser(Root([Mount("/a", "toy", Where())], metrics, Clock()))
        for method in ("GET", "GET", "FOO", "BAR"):
            http.request(method, "/a")
        count = metrics.registry.get_sample_value
        for method, status, wanted in (("GET", "200", 2), ("other", "501", 2)):
            labels = {"dialect": "toy", "method": method, "status": status}
            self.assertEqual(wanted, count("snfd_requests_total", labels), method)

    def test_documents_are_served_by_dialect(self) -> None:
        served = build(DIALECT, authenticate, ThingsApi())
        documents = Documents([Mount("/toy", "toy", served)])
        http = self.root(("/openapi", documents))
        got = http.get("/openapi/toy.json")
        self.assertEqual("3.1.0", got.json["openapi"])
        self.assertEqual(404, http.get("/openapi/nosuch.json").status)


class HealthTests(SynchronousTestCase):
    def test_health_and_readiness(self) -> None:
        state: list[str] = []

        async def ready() -> None:
            if not state:
                raise Unavailable("10.0.0.5 is away", told="the database is away")

        http = Browser(
            Root(
                [
                    Mount("/healthz", "", Health()),
                    Mount("/readyz", "", Readiness(ready)),
                ],
                Metrics(),
                Clock(),
            )
        )
        self.assertEqual(200, http.get("/healthz").status)
        got = http.get("/readyz")
        self.assertEqual((503, b"the database is away\n"), (got.status, got.body))
        state.append("up")
        self.assertEqual(200, http.get("/readyz").status)

    def metrics(self, token: str) -> Browser:
        page = MetricsPage(Metrics(), token)
        return Browser(Root([Mount("/metrics", "", page)], Metrics(), Clock()))

    def test_metrics_need_the_token(self) -> None:
        http = Browser(
            Root(
                [Mount("/metrics", "", MetricsPage(Metrics(), "s3"))],
                Metrics(),
                Clock(),
            )
        )
        refused = http.get("/metrics")
        self.assertEqual(401, refused.status)
        self.assertIn("text/plain", refused.headers["content-type"])
        got = http.get("/metrics", headers={"Authorization": "Bearer s3"})
        self.assertEqual(200, got.status)
        self.assertIn(b"snfd_requests", got.body)

    def test_an_empty_token_lets_nobody_in(self) -> None:
        http = Browser(
            Root(
                [Mount("/metrics", "", MetricsPage(Metrics(), ""))], Metrics(), Clock()
            )
        )
        got = http.get("/metrics", headers={"Authorization": "Bearer "})
        self.assertEqual(401, got.status)

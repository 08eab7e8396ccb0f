"""The app behind the page: behind Airflow's login, for the API server alone."""

# Annotations of handlers are looked up by FastAPI: they stay what they are, without `from __future__`.
import json
from datetime import datetime, timezone
from urllib.parse import quote, urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import get_user, requires_authenticated
from airflow.configuration import conf
from airflow.utils.session import create_session
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from lakejobs_page import reports
from lakejobs_page.faults import Missing, Unreadable
from lakejobs_page.page import own_page, policy, refusal_page
from lakejobs_page.place import reports_place
from lakejobs_page.runs import last_due_day, runs_of_day

BASE = conf.get("api", "base_url", fallback="").rstrip("/")


def make_app() -> FastAPI:
    """Routes below `/lake`. Who may look at Airflow may look at reports; at runs, who may look at their DAG's."""
    # Its own documentation would be open to everybody.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(requires_authenticated())])
    page, trusted = own_page()

    @app.exception_handler(AnyHTTPException)
    async def refused(request: Request, error: AnyHTTPException) -> Response:
        """A person is led to the login, and back; the frame shows a line; a script gets JSON."""
        wanted_by = request.headers.get("sec-fetch-dest")
        if error.status_code == 401 and wanted_by == "document":
            return RedirectResponse(f"{BASE}/auth/login?next={quote(str(request.url), safe='')}", 303)
        if wanted_by in ("document", "iframe"):
            return _html(refusal_page(str(error.detail)), policy([]), error.status_code)
        return JSONResponse({"detail": error.detail}, error.status_code)

    @app.exception_handler(Unreadable)
    async def unreadable(request: Request, error: Unreadable) -> Response:
        return await refused(request, HTTPException(503, str(error)))

    @app.get("/")
    def index() -> Response:
        return _html(page, trusted)

    @app.get("/api/days")
    def days() -> Response:
        """`days` with a report, what the newest one says, and the last day that is `due`."""
        place = reports_place()
        found = reports.days(place)
        with create_session() as session:
            due = last_due_day(session, datetime.now(timezone.utc))
        newest = {"day": found[-1], **(reports.summary(place, found[-1]) or {})} if found else None
        return _json({"place": place, "days": found, "newest": newest, "due": due})

    @app.get("/api/runs/{day}")
    def runs(day: str, user=Depends(get_user)) -> Response:
        """The runs that handled the day, and where Airflow shows them."""
        with create_session() as session:
            found = runs_of_day(session, _day(day))
        manager = get_auth_manager()
        may_see = {
            dag: manager.is_authorized_dag(
                method="GET", access_entity=DagAccessEntity.RUN, details=DagDetails(id=dag), user=user
            )
            for dag in {run["dag"] for run in found}
        }
        return _json([{**run, "path": _path_of(run)} for run in found if may_see[run["dag"]]])

    @app.get("/report/{day}")
    def report(day: str, theme: str = "") -> Response:
        try:
            page, styles = reports.report(reports_place(), _day(day), theme)
        except Missing:
            raise HTTPException(404, f"There is no report of {day}.") from None
        return _html(page, policy(styles))

    return app


def _day(text: str) -> str:
    if not reports.is_day(text):
        raise HTTPException(404, "This is no day: give one as 2026-11-27.")
    return text


def _path_of(run: dict[str, str]) -> str:
    """Below Airflow's own address, whatever name the browser knows it by."""
    return f"{urlsplit(BASE).path}/dags/{quote(run['dag'])}/runs/{quote(run['run'], safe='')}"


_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def _html(text: str | bytes, csp: str, status: int = 200) -> Response:
    headers = {**_HEADERS, "Content-Security-Policy": csp}
    return Response(text, status, headers, media_type="text/html; charset=utf-8")


def _json(value: object) -> Response:
    return Response(json.dumps(value), 200, _HEADERS, media_type="application/json")

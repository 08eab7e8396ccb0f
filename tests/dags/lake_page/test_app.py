"""The page behind Airflow's login, as its API server serves it."""

from __future__ import annotations

import pytest
from sample_reports import STYLE, write

DAY = "2026-11-27"
PATHS = ["/lake/", "/lake/api/days", f"/lake/api/runs/{DAY}", f"/lake/report/{DAY}"]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_it_without_a_login(api, reports, path):
    write(reports, DAY)
    assert api.get(path).status_code == 401
    assert api.get(path, headers={"Authorization": "Bearer x"}).status_code == 403


def test_a_person_is_led_to_the_login_and_back(api):
    answer = api.get("/lake/?day=2026-11-27", headers={"sec-fetch-dest": "document"})
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(
        "/auth/login?next=http%3A%2F%2Flocalhost%3A8080%2Flake%2F%3Fday%3D2026-11-27"
    )


@pytest.mark.parametrize("path", PATHS)
def test_who_may_look_at_airflow_may_look_at_it(api, sign_in, reports, path):
    write(reports, DAY)
    assert api.get(path, headers=sign_in("viewer")).status_code == 200


@pytest.mark.parametrize("path", ["/lake/docs", "/lake/openapi.json", "/lake/redoc"])
def test_it_has_no_page_about_itself(api, sign_in, path):
    assert api.get(path, headers=sign_in("admin")).status_code == 404


def test_a_report_may_do_nothing(api, sign_in, reports):
    write(reports, DAY)
    answer = api.get(f"/lake/report/{DAY}", headers=sign_in("viewer"))
    rules = dict((rule.split(" ", 1) + [""])[:2] for rule in answer.headers["content-security-policy"].split("; "))
    assert (rules["default-src"], rules["img-src"], rules["sandbox"]) == ("'none'", "data:", "")
    assert (rules["base-uri"], rules["form-action"], rules["frame-ancestors"]) == ("'none'", "'none'", "'self'")
    # The style that the report has itself, and no other.
    assert rules["style-src"].startswith("'sha256-") and rules["style-src"].count("'") == 2
    assert "script-src" not in rules
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == (reports / f"{DAY}.html").read_bytes() and STYLE in answer.text
    (reports / "2026-11-28.html").write_text("<p>without a policy")
    answer = api.get("/lake/report/2026-11-28", headers=sign_in("viewer"))
    assert "style-src 'none'" in answer.headers["content-security-policy"]


def test_the_page_itself_may_run_its_own_script_alone(api, sign_in):
    policy = api.get("/lake/", headers=sign_in("viewer")).headers["content-security-policy"]
    assert "unsafe" not in policy and "sandbox" not in policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")


@pytest.mark.parametrize("day", ["2026-11-31", "..%2Fsecret", "%2e%2e%2fsecret", "2026-11-27.html", "x" * 5000])
def test_a_day_that_is_none_is_not_looked_for(api, sign_in, reports, day):
    (reports.parent / "secret.html").write_text("secret")
    for path in ("report", "api/runs"):
        answer = api.get(f"/lake/{path}/{day}", headers=sign_in("admin"))
        assert answer.status_code == 404 and "secret" not in answer.text


def test_days_and_what_the_newest_says(api, sign_in, reports):
    from lakejobs_page.reports import is_day

    none = api.get("/lake/api/days", headers=sign_in("viewer")).json()
    assert is_day(none.pop("due"))
    assert none == {"place": str(reports), "days": [], "newest": None}
    write(reports, "2026-11-26", word="late")
    write(reports, DAY, {DAY: "missing"}, word="failed", text="1 failed.")
    said = api.get("/lake/api/days", headers=sign_in("viewer")).json()
    assert (said["days"], said["newest"]["day"]) == (["2026-11-26", DAY], DAY)
    assert said["newest"]["verdict"] == {"word": "failed", "text": "1 failed."}
    assert said["newest"]["days"] == {DAY: [{"table": "default.web_logs", "state": "missing"}]}
    # The report itself is shown all the same.
    (reports / f"{DAY}.json").write_text("half a fi")
    assert api.get("/lake/api/days", headers=sign_in("viewer")).json()["newest"] == {"day": DAY}


def test_a_frame_gets_a_line_for_people(api, sign_in, reports):
    headers = {**sign_in("viewer"), "sec-fetch-dest": "iframe"}
    answer = api.get(f"/lake/report/{DAY}", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert f"There is no report of {DAY}." in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("ftp://x/y", 'LAKEJOBS_REPORTS: "ftp://x/y" is not valid: give a folder'),
        ("/dev/null", "/dev/null cannot be read: Not a directory"),
        # Nobody listens there.
        ("s3://bucket/reports", "s3://bucket/reports cannot be read (EndpointConnectionError): see S3_ENDPOINT"),
    ],
)
def test_a_place_that_cannot_be_read_is_said_and_the_page_opens(api, sign_in, monkeypatch, setting, said):
    from lakejobs_page import s3

    monkeypatch.setenv("LAKEJOBS_REPORTS", setting)
    monkeypatch.setenv("S3_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("MINIO_ROOT_USER", "canary-user")
    monkeypatch.setenv("MINIO_ROOT_PASSWORD", "canary-password")
    s3._client.cache_clear()
    assert api.get("/lake/", headers=sign_in("viewer")).status_code == 200
    for path in ("api/days", f"report/{DAY}"):
        answer = api.get(f"/lake/{path}", headers=sign_in("viewer"))
        assert (answer.status_code, answer.json()["detail"][: len(said)]) == (503, said)
        assert "canary" not in answer.text
    s3._client.cache_clear()

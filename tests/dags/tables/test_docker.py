"""A group whose tasks are containers: what the engine is asked for, and what their ends mean."""

from __future__ import annotations

import json

from docker_daemon import docker_daemon

PLAN = {
    "file": "lakejobs.yaml",
    "catalog": "local",
    "groups": [
        {
            "name": "daily",
            "tables": [
                {"table": "shop.orders", "options": {"mode": {"value": "day"}, "lookback": {"value": "2"}}},
                {"table": "crm/public.*", "exclude": ["crm/public.log_*", "a.b"], "options": {}},
            ],
        }
    ],
}


def test_a_plan_and_a_container_for_each_table(lake, monkeypatch):
    """The engine's container prints a plan, whatever it is asked: the export then has no summary, and is fine."""
    from lakejobs_dags import settings
    from runs import run_dag

    (lake.folder / "lakejobs.yaml").write_text(
        "version: 1\nsources: { crm: { env: CRM } }\ntables: { crm/public.*: {}, shop.orders: { mode: day } }\n"
    )
    with docker_daemon(json.dumps(PLAN, separators=(",", ":")) + "\n", 0) as daemon:
        for name, value in {
            "LAKEJOBS_CONFIG": str(lake.folder / "lakejobs.yaml"),
            "AIRFLOW_HOME": str(lake.folder / "airflow"),
            "DOCKER_URL": daemon.url,
            "HOST_DATA_DIR": "/srv/data",
            "HOST_TABLES_DIR": "/srv/tables",
            "CRM_HOST": "crm.example.com",
            "CRM_PASSWORD": "secret",
            "CRM_OTHER": "x",
            "OTHER_HOST": "x",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(settings, "RUNNER", "docker")
        run = run_dag("lake_daily", {"date": "2024-09-16"})
    assert run.state == "success", run.states
    plan, *exports = [one["Cmd"] for one in daemon.created]
    assert plan == ["config", "--group=daily", "--json"]
    # Side by side, in any order.
    assert sorted(exports, reverse=True) == [
        [
            *("export", "--group=daily", "--table=shop.orders"),
            *("--date=2024-09-16", "--lookback=2", "--skip-unchanged=true"),
        ],
        [
            *("export", "--group=daily", "--table=crm/public.*", "--exclude=crm/public.log_*,a.b"),
            "--skip-unchanged=true",
        ],
    ]
    for one in daemon.created:
        environment = dict(text.split("=", 1) for text in one["Env"])
        assert environment.items() >= {"CRM_HOST": "crm.example.com", "CRM_PASSWORD": "secret"}.items()
        assert not {"CRM_OTHER", "OTHER_HOST"} & environment.keys()
        assert [(mount["Source"], mount["Target"], mount["ReadOnly"]) for mount in one["HostConfig"]["Mounts"]] == [
            ("/srv/data", "/opt/lakejobs/data", False),
            ("/srv/tables", "/opt/lakejobs/tables", True),
        ]

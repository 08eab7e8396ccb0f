-- The demo table (docs: web_logs). Idempotent: a table that exists is left alone, whoever made it.
-- The comment is lakejobs' mark: demo jobs write only to tables that carry it, or are empty.
DO $$
BEGIN
  IF to_regclass('public.web_logs') IS NULL THEN
    CREATE TABLE public.web_logs (
      user_id INTEGER NOT NULL,
      url TEXT NOT NULL,
      response_time INTEGER NOT NULL,
      status_code INTEGER NOT NULL,
      timestamp TIMESTAMPTZ NOT NULL
    );
    CREATE INDEX web_logs_timestamp_idx ON public.web_logs (timestamp);
    COMMENT ON TABLE public.web_logs IS 'lakejobs demo data';
  END IF;
END
$$;

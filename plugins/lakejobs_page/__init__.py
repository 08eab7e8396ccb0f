"""The page Lake in Airflow: shows the reports that jobs have made, and computes nothing."""

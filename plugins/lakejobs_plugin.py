"""The page Lake in Airflow, for a folder of plugins. Where the package is installed, Airflow needs no such file."""

from lakejobs_page.plugin import LakePlugin

__all__ = ("LakePlugin",)

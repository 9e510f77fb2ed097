"""Tests of the dashboards that ship with Freezeframe."""

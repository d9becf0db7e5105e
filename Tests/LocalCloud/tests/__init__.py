"""Tests of the cloud itself."""

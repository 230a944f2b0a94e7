"""Tests of one room on the real part next to it."""

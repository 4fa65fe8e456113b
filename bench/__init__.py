"""Whole-process measurements, side by side with peers."""

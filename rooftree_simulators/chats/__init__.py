"""Simulated chat vendors."""

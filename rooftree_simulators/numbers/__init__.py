"""Simulated vendors of phone number lists. They share no code with their clients."""

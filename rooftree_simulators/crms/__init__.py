"""Simulated CRMs that a lender migrates from. They share no code with the readers."""

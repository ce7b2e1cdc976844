"""Simulated customer systems that a lender moves away from. None shares code with the reader."""

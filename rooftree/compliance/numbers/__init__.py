"""Number checks by a vendor: do-not-contact lists, and reassigned numbers."""

"""Where leads are advertised for, and who witnesses consents."""

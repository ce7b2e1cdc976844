"""Local stand-ins that speak each vendor's wire format. They import nothing of ours."""

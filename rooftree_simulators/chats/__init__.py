"""Chats on a company's own site."""

"""A simulated Twilio: Programmable Messaging and Voice on one port."""

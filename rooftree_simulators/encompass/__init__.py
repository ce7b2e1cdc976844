"""A simulated Encompass: REST v3, webhooks, milestones. Not certified with the vendor."""

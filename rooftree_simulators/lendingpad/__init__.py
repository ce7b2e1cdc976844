"""A simulated LendingPad: its import, list and update calls, and its posts of changed loans."""

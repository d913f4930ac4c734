"""What a long task is: its states, its token, its queues, and the snapshots that others get of it."""

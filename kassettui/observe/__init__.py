"""What happened and how often: the structured log and the metrics. Nothing here ever stops the program."""

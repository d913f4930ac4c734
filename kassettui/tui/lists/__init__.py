"""The one virtual list that every pane uses, and what is selected in it."""

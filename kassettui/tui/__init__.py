"""The screen: shows what lies below `workspace` and asks it for things. No rule of its own lives here."""

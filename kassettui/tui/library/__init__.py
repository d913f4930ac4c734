"""The Library place: tree, list of assets, inspector, filter bar."""

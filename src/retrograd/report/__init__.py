"""What a run leaves for people: pages that open in any browser, offline, and text for terminals."""

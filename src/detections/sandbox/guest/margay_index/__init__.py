"""The rule index: from the source of a rule to a condition without which it cannot say True, raise or have an effect."""

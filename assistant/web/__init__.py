"""Everything that speaks HTTP. Nothing here decides what an answer says."""

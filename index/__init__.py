"""Finding: passages in, hits out. No prompts, chat or users in here."""

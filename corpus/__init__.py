"""What we know: files in, passages out. No vectors, models or users in here."""

"""How codes, numbers and gaps are said in words, for pages and briefings alike."""

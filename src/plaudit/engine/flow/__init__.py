"""Flow matching: pictures and vectors from noise, learned from data and tuned by reward. Knows no content."""

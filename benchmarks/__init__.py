"""Side by side with the bare engine, in one run, as ratios."""

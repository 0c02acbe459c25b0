"""Playing the games of this domain: the rules step by step, learned players, and how hard levels are for them."""

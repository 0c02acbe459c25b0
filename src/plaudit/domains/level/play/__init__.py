"""Playing the games of this domain: the rules move by move, and players that learn."""

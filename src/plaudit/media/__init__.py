"""Files that several domains share: limits on what is read, pictures with a recipe inside, walls."""

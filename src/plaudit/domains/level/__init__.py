"""Game levels: grids of tiles that can be finished."""

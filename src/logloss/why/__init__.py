"""Why a loss is what it is: its parts, its rows, what would lower it; train against validation."""

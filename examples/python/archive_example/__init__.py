"""Has Seedance videos archived, from workflows and from a client."""

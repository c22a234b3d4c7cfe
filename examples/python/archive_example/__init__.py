"""Archives Seedance videos, from workflows and from a client."""

"""The vocabulary that compiler, agent and data source share. Standard library only; imports none of us."""

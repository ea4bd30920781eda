"""Evidence packs: what a run read and wrote, in one signed file that can be checked without us."""

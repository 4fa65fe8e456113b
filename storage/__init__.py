"""Blocks of bytes under their hashes; names are somebody else's business."""

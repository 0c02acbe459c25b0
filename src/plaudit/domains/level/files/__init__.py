"""Levels in the files that engines and editors read: Tiled, LDtk, Godot. One module a format.

Each writes a level with a picture of its tiles beside it, and reads back what it wrote, locks, request, seed
and recipe included, or a level of the same tiles that was edited or made elsewhere.
"""

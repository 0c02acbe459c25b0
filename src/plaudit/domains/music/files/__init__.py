"""The files of this domain, one module a format; see render.py."""

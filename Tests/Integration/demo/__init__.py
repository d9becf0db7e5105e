"""`make demo`: a stack's whole life with its backend certificate, in a cloud on this machine."""

"""Histories of stacks: generated from a seed, played through the packaged function, judged by what is left."""

"""DNS as the world sees it: the emulator's Route 53 records, on a port of this machine."""

"""What the black-box tests and the demonstration share. Nothing here knows how the function is written."""

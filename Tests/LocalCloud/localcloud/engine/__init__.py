"""CloudFormation: stacks that are created, updated, rolled back and deleted as the real service does it."""

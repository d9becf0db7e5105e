"""EC2 instances of auto scaling groups, in namespaces of their own: the template's boot script really runs."""

"""EC2 instances of auto scaling groups, as processes in namespaces of their own: the template's boot script really runs."""

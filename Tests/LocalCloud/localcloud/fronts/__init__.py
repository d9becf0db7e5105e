"""What the world meets of load balancers and distributions: a handshake with their certificate, and an answer."""

from localcloud.fronts.classic import ClassicFront
from localcloud.fronts.distribution import DistributionFront
from localcloud.fronts.load_balancer import ListenerFront

__all__ = ["ClassicFront", "DistributionFront", "ListenerFront"]

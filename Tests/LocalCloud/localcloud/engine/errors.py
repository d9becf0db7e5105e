"""What can go wrong with a template or a resource."""

from localcloud.errors import AwsError


class ValidationError(AwsError):
    """The request or its template is wrong: answered at once, nothing has begun."""

    def __init__(self, message: str):
        super().__init__("ValidationError", message, 400)


class ResourceFailed(Exception):
    """A resource could not be created, updated or deleted. The message becomes the event's reason.

    `physical_id` is the id that the failed resource has nevertheless, and that a rollback must delete. `sent` says that
    a custom resource's provider was asked, so that it may have done something.
    """

    def __init__(self, reason: str, physical_id: str | None = None):
        super().__init__(reason)
        self.physical_id = physical_id
        self.sent = False


class Cancelled(ResourceFailed):
    """The operation was given up while this resource was in progress."""

"""The errors that reach a client, and the one that says this cloud was asked for more than it knows."""


class AwsError(Exception):
    """An error answer as AWS gives it. `code` is the AWS error code, `status` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class NotCoveredLocally(Exception):
    """Something that real AWS would judge and this cloud cannot: never guessed, always said aloud."""


class AccessDenied(AwsError):
    """A refusal by a policy. The gateway writes it under the code that the service's protocol uses."""

    def __init__(self, message: str):
        super().__init__("AccessDenied", message, 403)

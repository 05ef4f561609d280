"""The errors a client can meet, and the one envelope they travel in.

    ApiError                      any answer of 400 or above
    ├── BadRequest         400    a field is wrong; ``param`` names it
    │   └── ContextTooLong 400    the prompt does not fit the model's context
    ├── Unauthorized       401    missing or wrong API key
    ├── Forbidden          403    the Host header is not one this server answers to
    ├── NotFound           404    no such route or model
    ├── TooLarge           413    the body is over the size limit
    ├── Internal           500    the model process failed
    ├── Unavailable        503    not now, but a retry can succeed: carries Retry-After
    └── TimedOut           504    ``defaults.timeout`` ran out

The envelope is the OpenAI reference's ``ErrorResponse``: ``{"error": {"message",
"type", "param", "code"}}`` with all four keys always present. The official SDKs
read nothing else, so no other shape may leave the server.
"""

from __future__ import annotations

from typing import TypedDict


class ErrorObject(TypedDict):
    message: str
    type: str
    param: str | None
    code: str | None


class ApiError(Exception):
    """An error with everything the wire needs: status, envelope fields, headers."""

    status = 500
    type = "server_error"
    code: str | None = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code or type(self).code
        self.headers = headers or {}

    def envelope(self) -> dict[str, ErrorObject]:
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


class BadRequest(ApiError):
    status = 400
    type = "invalid_request_error"
    code = "invalid_value"


class ContextTooLong(BadRequest):
    """Frameworks trim their history when they see this code, so nothing else may use it."""

    code = "context_length_exceeded"


class Unauthorized(ApiError):
    status = 401
    type = "invalid_request_error"
    code = "invalid_api_key"


class Forbidden(ApiError):
    status = 403
    type = "invalid_request_error"
    code = "host_not_allowed"


class NotFound(ApiError):
    status = 404
    type = "invalid_request_error"


class MethodNotAllowed(ApiError):
    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"


class TooLarge(ApiError):
    status = 413
    type = "invalid_request_error"
    code = "request_too_large"


class Internal(ApiError):
    status = 500
    code = "internal_error"


class Unavailable(ApiError):
    """``retry_after`` is in seconds. SDKs ignore a Retry-After above 120."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 1, code: str | None = None) -> None:
        super().__init__(message, code=code, headers={"retry-after": str(retry_after)})


class TimedOut(ApiError):
    """A retry would run just as long, so the SDKs are told not to."""

    status = 504
    code = "timeout"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"x-should-retry": "false"})


BY_STATUS: dict[int, type[ApiError]] = {
    error.status: error
    for error in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        TooLarge,
        Internal,
    )
}

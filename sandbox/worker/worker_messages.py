"""The worker protocol's messages, as plain objects.

Microsoft's worker library takes the message classes that it reads and answers with from its caller;
in the Functions host they are protobuf's.
"""

from types import SimpleNamespace
from typing import Any, ClassVar


class Message:
    """One message: keyword arguments are its fields, and any other field is absent (None)."""

    one_of: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name[:1].isupper():  # no message type, and no protocol of Python's
            raise AttributeError(name)
        return None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self).__name__, self.__dict__)

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - protobuf's name
        """The field of the group that is set; each of our messages has one group at most."""
        return next((field for field in self.one_of if field in self.__dict__), None)

    def HasField(self, field: str) -> bool:  # noqa: N802 - protobuf's name
        """Whether the field is set."""
        return self.__dict__.get(field) is not None


class TypedData(Message):
    """A value with its wire type: `TypedData(json='{}')`."""

    one_of = ("string", "json", "bytes", "http", "int", "double")

    @property
    def value(self) -> Any:
        """The value, of whichever type; None when there is none."""
        field = self.WhichOneof("data")
        return self.__dict__[field] if field else None


class ParameterBinding(Message):
    """A function's parameter and its value."""

    one_of = ("data",)


class RpcHttp(Message):
    """An HTTP request or response."""


class StatusResult(Message):
    """Whether a request to the worker succeeded."""

    Failure, Success, Cancelled = range(3)


class BindingInfo(Message):
    """One binding of a function."""

    undefined, string, binary, stream = range(4)
    out, inout = 1, 2


class RpcHttpCookie(Message):
    """A cookie that an HTTP function sets."""

    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


def _restore(name: str, fields: dict[str, Any]) -> Message:
    kind: type[Message] = getattr(PROTOCOL, name)
    return kind(**fields)


def _message(name: str) -> type[Message]:
    return type(name, (Message,), {})


_PLAIN = (
    "FunctionEnvironmentReloadResponse",
    "FunctionLoadResponse",
    "FunctionMetadataResponse",
    "InvocationResponse",
    "NullableBool",
    "NullableDouble",
    "NullableString",
    "NullableTimestamp",
    "RpcException",
    "RpcFunctionMetadata",
    "RpcRetryOptions",
    "WorkerInitResponse",
    "WorkerMetadata",
)
PROTOCOL = SimpleNamespace(
    TypedData=TypedData,
    ParameterBinding=ParameterBinding,
    RpcHttp=RpcHttp,
    StatusResult=StatusResult,
    BindingInfo=BindingInfo,
    RpcHttpCookie=RpcHttpCookie,
    **{name: _message(name) for name in _PLAIN},
)
"""The module of messages that the worker library asks its caller for."""

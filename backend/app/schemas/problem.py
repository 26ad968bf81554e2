"""The body of every error."""

from pydantic import BaseModel, ConfigDict, Field


class Fault(BaseModel):
    """One thing that is wrong with the input."""

    location: list[str] = Field(description="Where: body, query or path, then the field")
    type: str
    message: str


class Problem(BaseModel):
    """An error as RFC 9457 describes it. Further members carry facts, such as `available` for
    insufficient_stock.
    """

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="urn:branchline:error:<code>")
    title: str
    status: int
    detail: str = Field(description="One sentence for people")
    instance: str = Field(description="The path that was asked")
    code: str = Field(description="Stable, for programs")
    request_id: str = Field(description="Quote it when you report the error")
    errors: list[Fault] | None = Field(None, description="With invalid_input: each fault")

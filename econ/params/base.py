"""What every section of the params is made of."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Positive = Annotated[int, Field(ge=1, le=10**9)]
Count = Annotated[int, Field(ge=1, le=1000)]  # of answers, rounds, steps …
Size = Annotated[int, Field(ge=1, le=16384)]  # of a layer
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Temperature = Annotated[float, Field(ge=0, le=2)]
Share = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=False, protected_namespaces=(), allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        values = value if isinstance(value, list | tuple) else (value,)
        if any(isinstance(one, bool) for one in values):
            kind = str(cls.model_fields[str(info.field_name)].annotation)
            if re.search(r"\b(?:int|float)\b", kind) and not re.search(r"\b(?:bool|Any)\b", kind):
                raise ValueError("true and false are no numbers")
        return value

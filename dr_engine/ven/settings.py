"""What an operator says of the VTN (`[dr.ven]`)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, model_validator

from protocols.openadr.payloads import KW
from protocols.openadr.power import Positive, PowerRule, Reading
from protocols.openadr.versions import Version

Name = Annotated[str, Field(min_length=1, max_length=128)]
Facility = Annotated[str, Field(min_length=1, max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VenProgram(_Part):
    """A programme of the VTN that we take part in, and how it says powers."""

    name: Name
    """Its programName."""
    facility: Facility | None = None
    """Whose cars, where an event's targets name none of our resources; None: those of all resources."""
    positive: Positive = Positive.IMPORT
    """What a number above 0 does: take power, or give it."""
    units: str = KW
    """Of its numbers, where neither the event nor the program says."""
    full_kw: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """What 100 % is."""
    levels_kw: dict[Literal["1", "2", "3"], Annotated[float, Field(ge=-1e6, le=1e6)]] = {}
    """What each level of SIMPLE changes: - less import."""
    payloads: dict[Name, Reading] = {}
    """Payload types that mean power, in the order in which they count; none: the standard's two."""
    several: Literal["together", "each"] = "together"
    """What its numbers are of when an event is for several of our facilities: of all together, which then share them by what
    each can do, or of each."""
    incentive_payload: Name = "X_INCENTIVE"
    """The payload type that says what is paid."""
    offer_up: str = "jp-ra-up"
    offer_down: str = "jp-ra-down"
    """The products whose offers are told as UP_ and DOWN_REGULATION_AVAILABLE."""

    def power_rule(self) -> PowerRule:
        """As the protocol takes it."""
        return PowerRule(
            types=self.payloads or PowerRule().types,
            positive=self.positive,
            units=self.units,
            full_w=None if self.full_kw is None else 1000 * self.full_kw,
            levels_w={int(level): 1000 * power for level, power in self.levels_kw.items()},
        )


class VenResource(_Part):
    """What we register as a resource: a facility's cars."""

    name: Name
    facility: Facility


class Ven2bSettings(_Part):
    """A VTN of OpenADR 2.0b (needs the extra `openadr2`)."""

    url: HttpUrl
    """Of its services, such as https://vtn.example/OpenADR2/Simple/2.0b."""
    name: Name = "gridstay"
    ven_id: Annotated[str, Field(max_length=128)] | None = None
    """None: the VTN gives us one."""
    program: VenProgram
    """How its events are meant, and whose cars; its name is ours to choose."""
    telemetry_s: Annotated[float, Field(ge=2, le=3600)] = 10.0
    certificate: str | None = None
    key: str | None = None
    ca_file: str | None = None
    vtn_fingerprint: str | None = None
    """PEM files for mutual TLS and signed messages, and whose signature we expect."""

    @model_validator(mode="after")
    def _fits(self) -> "Ven2bSettings":
        if self.program.facility is None:
            raise ValueError("the program needs a facility: events of 2.0b name none of ours")
        return self


class VenSettings(_Part):
    """The VTN and what we are to it. Times in seconds."""

    url: HttpUrl
    """Of its API, such as https://vtn.example/openadr3/3.1.0."""
    client_id: Annotated[str, Field(min_length=1, max_length=4096)]
    client_secret: SecretStr
    token_url: HttpUrl | None = None
    """None: as the VTN says under /auth/server; /auth/token where it says nothing, as in 3.0.1."""
    token_auth: Literal["basic", "body"] = "basic"
    """How the credentials are given for a token."""
    ca_file: str | None = None
    """Whom we trust instead of the machine's authorities (PEM)."""
    version: Version | None = None
    """What the VTN speaks; None: as its answers show."""
    name: Name = "gridstay"
    """Our venName, and the clientName of our reports."""
    programs: Annotated[tuple[VenProgram, ...], Field(min_length=1)]
    resources: tuple[VenResource, ...] = ()
    poll_s: Annotated[float, Field(ge=1, le=300)] = 20.0
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 15.0
    enrol_every_s: Annotated[float, Field(ge=10, le=86_400)] = 600.0
    """Pause between two looks at our ven, resources, subscriptions and the programs."""
    callback_url: HttpUrl | None = None
    """Where the VTN reaches us: …/api/openadr/notifications. None: it does not call us."""
    mqtt: bool = True
    """Whether we listen to the VTN's broker, when it has one."""
    report_after_s: Annotated[float, Field(ge=0, le=86_400)] = 90.0
    """How long after the end of its intervals a metered report is made: readings come late."""
    revise_for_s: Annotated[float, Field(ge=0, le=7 * 86_400)] = 3600.0
    """For how long a report is put right when readings came later still."""
    forecast_every_s: Annotated[float, Field(ge=60, le=86_400)] = 1800.0
    """How often we forecast where the VTN leaves it to us."""

    @model_validator(mode="after")
    def _fits(self) -> "VenSettings":
        names = [program.name for program in self.programs]
        if len(set(names)) != len(names):
            raise ValueError("a program is named twice")
        if len({resource.name for resource in self.resources}) != len(self.resources):
            raise ValueError("a resource is named twice")
        if any(program.facility is None for program in self.programs) and not self.resources:
            raise ValueError("a program without a facility needs resources, by whose targets events find one")
        return self

    def program(self, name: str) -> VenProgram | None:
        """The settings of a programme, or None."""
        return next((program for program in self.programs if program.name == name), None)

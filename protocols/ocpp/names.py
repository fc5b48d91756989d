"""The names of OCPP: versions, roles, error codes, and who may send which action.

The action tables are data written by hand, because the JSON schemas do not say in which direction a message travels.
A test proves them complete against the schema files.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Version(StrEnum):
    """A WebSocket subprotocol name, exact and case-sensitive (OCPP-J rule 2.1)."""

    __hash__ = str.__hash__  # Enum's is a function of Python, and each message asks tables by these
    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"


class Role(StrEnum):
    """Which end of the connection we are."""

    __hash__ = str.__hash__
    CSMS = "CSMS"
    STATION = "ChargingStation"

    @property
    def peer(self) -> "Role":
        """The other end."""
        return Role.STATION if self is Role.CSMS else Role.CSMS


class ErrorCode(StrEnum):
    """The twelve CALLERROR codes of 2.0.1 and 2.1 (OCPP-J rule 9)."""

    FORMAT_VIOLATION = "FormatViolation"
    GENERIC_ERROR = "GenericError"
    INTERNAL_ERROR = "InternalError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurrenceConstraintViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    PROTOCOL_ERROR = "ProtocolError"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
    SECURITY_ERROR = "SecurityError"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"


_CSMS_201: Final = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ClearCache",
        "ClearChargingProfile",
        "ClearDisplayMessage",
        "ClearVariableMonitoring",
        "CostUpdated",
        "CustomerInformation",
        "DataTransfer",
        "DeleteCertificate",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetDisplayMessages",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
        "GetTransactionStatus",
        "GetVariables",
        "InstallCertificate",
        "PublishFirmware",
        "RequestStartTransaction",
        "RequestStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SetDisplayMessage",
        "SetMonitoringBase",
        "SetMonitoringLevel",
        "SetNetworkProfile",
        "SetVariableMonitoring",
        "SetVariables",
        "TriggerMessage",
        "UnlockConnector",
        "UnpublishFirmware",
        "UpdateFirmware",
    }
)

_STATION_201: Final = frozenset(
    {
        "Authorize",
        "BootNotification",
        "ClearedChargingLimit",
        "DataTransfer",
        "FirmwareStatusNotification",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "SignCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)

_CSMS_NEW_IN_21: Final = frozenset(
    {
        "AFRRSignal",
        "AdjustPeriodicEventStream",
        "ChangeTransactionTariff",
        "ClearDERControl",
        "ClearTariffs",
        "GetDERControl",
        "GetPeriodicEventStream",
        "GetTariffs",
        "NotifyAllowedEnergyTransfer",
        "NotifyWebPaymentStarted",
        "RequestBatterySwap",
        "SetDERControl",
        "SetDefaultTariff",
        "UpdateDynamicSchedule",
        "UsePriorityCharging",
    }
)

_STATION_NEW_IN_21: Final = frozenset(
    {
        "BatterySwap",
        "ClosePeriodicEventStream",
        "GetCertificateChainStatus",
        "NotifyDERAlarm",
        "NotifyDERStartStop",
        "NotifyPriorityCharging",
        "NotifySettlement",
        "OpenPeriodicEventStream",
        "PullDynamicScheduleUpdate",
        "ReportDERControl",
        "VatNumberValidation",
    }
)

CSMS_ACTIONS: Final[Mapping[Version, frozenset[str]]] = MappingProxyType(
    {Version.V201: _CSMS_201, Version.V21: _CSMS_201 | _CSMS_NEW_IN_21}
)
"""What a CSMS may CALL."""

STATION_ACTIONS: Final[Mapping[Version, frozenset[str]]] = MappingProxyType(
    {Version.V201: _STATION_201, Version.V21: _STATION_201 | _STATION_NEW_IN_21}
)
"""What a charging station may CALL."""

SEND_ACTIONS: Final[Mapping[Version, frozenset[str]]] = MappingProxyType(
    {Version.V201: frozenset[str](), Version.V21: frozenset({"NotifyPeriodicEventStream"})}
)
"""What a charging station may SEND, message type 6, never answered (OCPP-J rule 15.3)."""


def callable_by(role: Role, version: Version) -> frozenset[str]:
    """The actions `role` may CALL."""
    return CSMS_ACTIONS[version] if role is Role.CSMS else STATION_ACTIONS[version]


def sendable_by(role: Role, version: Version) -> frozenset[str]:
    """The actions `role` may SEND: a CSMS has none."""
    return SEND_ACTIONS[version] if role is Role.STATION else frozenset()


def is_known(action: str, version: Version) -> bool:
    """Whether the version has this action at all, whoever may send it and in whichever frame."""
    return any(action in table[version] for table in (CSMS_ACTIONS, STATION_ACTIONS, SEND_ACTIONS))


def negotiate(offered: Sequence[str], supported: Sequence[Version]) -> Version | None:
    """The first of our versions, in our order of preference, that the station offered (OCPP-J rules 2.2, 2.3).

    None means nothing in common: refuse the handshake (OCPP-J rule 2.4).
    """
    return next((version for version in supported if version.value in offered), None)

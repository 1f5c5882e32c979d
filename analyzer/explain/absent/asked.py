"""A question for a neighbour that nobody answers, and a reason for that."""

from dataclasses import dataclass, field

from analyzer.explain.case import Case
from analyzer.explain.told import Facts
from analyzer.model import Address, ArpExchange, Container, HostState


@dataclass(frozen=True, slots=True)
class Why:
    """One reason, as facts: ``why`` names it."""

    facts: Facts
    proof: tuple[str, ...] = ()


@dataclass(slots=True)
class Asked:
    """A question for a neighbour that nobody answers, and what was recorded of both ends."""

    case: Case
    host: HostState
    question: ArpExchange
    owner: Container | None = field(init=False)
    asker: Container | None = field(init=False)

    def __post_init__(self) -> None:
        self.owner = self.host.container_of_address(self.question.asked_ip)
        self.asker = self.host.container_of_mac(self.question.asker)

    @property
    def ip(self) -> Address:
        """The address that is asked for."""
        return self.question.asked_ip

    @property
    def state(self) -> HostState | None:
        """What was recorded of the asker: its own namespace, or the host."""
        if self.asker is not None:
            return self.host.inside.get(self.asker.name)
        return self.host if self.host.link_of_mac(self.question.asker) is not None else None

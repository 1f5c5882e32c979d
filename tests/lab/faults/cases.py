"""All cases: every fault on each of its networks, the first one alone, the others amid healthy traffic."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.faults.absent import THERE
from tests.lab.faults.behind import BEHIND
from tests.lab.faults.common import COMMON
from tests.lab.faults.ends import CAPTURES, HEALTHY, NAMES, PEERS, WIRE
from tests.lab.faults.files import FILES
from tests.lab.faults.links import LINKS
from tests.lab.faults.meanwhile import MEANWHILE
from tests.lab.faults.mistaken import MISTAKEN
from tests.lab.faults.observed import OBSERVED
from tests.lab.faults.picky import PICKY
from tests.lab.faults.ports import PORTS
from tests.lab.faults.published import PUBLISHED
from tests.lab.faults.rare import QUIET, RARE
from tests.lab.faults.rules import FILTERED, ISOLATED
from tests.lab.faults.segments import LOST, NEIGHBOURS
from tests.lab.faults.several import SEVERAL
from tests.lab.faults.sidecars import SIDECARS
from tests.lab.faults.states import STATES
from tests.lab.faults.taken import TAKEN
from tests.lab.faults.translations import TRACKED, TRANSLATED
from tests.lab.faults.uncommon import UNCOMMON
from tests.lab.faults.vpn import VPN
from tests.lab.faults.ways import ENDED, FITTED, FORWARDED, ROUTED
from tests.lab.faults.within import ODD_INSIDE, WITHIN
from tests.lab.faults.world import Fault, Net

RECORDED = Path(__file__).parents[2] / "faults"
FAULTS: tuple[Fault, ...] = (
    *FILTERED, *ISOLATED, *TRANSLATED, *TRACKED, *FORWARDED, *ROUTED, *ENDED, *FITTED, *NEIGHBOURS, *LOST, *PEERS,
    *NAMES, *WIRE, *CAPTURES, *RARE, *HEALTHY, *QUIET, *SEVERAL, *WITHIN, *ODD_INSIDE, *THERE, *BEHIND, *OBSERVED,
    *COMMON, *MEANWHILE, *MISTAKEN, *SIDECARS, *FILES, *TAKEN,
    *PORTS, *LINKS, *PICKY, *VPN, *STATES, *PUBLISHED, *UNCOMMON,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One recording."""

    fault: Fault
    net: Net
    mixed: bool

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"{self.fault.name}.{self.net.name}{'.mixed' if self.mixed else ''}"

    @property
    def path(self) -> Path:
        """Where its recording is."""
        return RECORDED / f"{self.name}.tar.zst"


CASES = tuple(Case(fault, net, place > 0) for fault in FAULTS for place, net in enumerate(fault.nets))

"""What is compared: places (layouts of ranks), collectives and sizes on them, and the figures to reach."""
from dataclasses import dataclass

KIB, MIB = 1 << 10, 1 << 20
SWEEP = (KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB)


@dataclass(frozen=True)
class Place:
    """`nodes[i]`: nodes of rack i. A pinned place has a core per rank, and its ranks may poll without yielding."""
    name: str
    nodes: tuple[int, ...]
    ranks_per_node: int = 1
    order: str = "contiguous"
    uplink: str = "500mbit"
    is_pinned: bool = False

    @property
    def ranks(self) -> int:
        return sum(self.nodes) * self.ranks_per_node

    @property
    def ranks_of_racks(self) -> list[int]:
        return [count * self.ranks_per_node for count in self.nodes]


@dataclass(frozen=True)
class Measurement:
    place: str
    collective: str
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Target:
    """A figure to reach. Kinds: "fraction" of the limit's rate; "speedup" over the best peer of the run; "multiple" of
    the rate that ranks alone can reach at most."""
    place: str
    collective: str
    bytes: int
    kind: str
    value: float
    library: str = "hawser"


PLACES = {place.name: place for place in (
    Place("4x1x4", (1,) * 4, 4),
    Place("4x4", (4,) * 4),
    Place("2x4", (4,) * 2),
    Place("2x1x4", (1,) * 2, 4),
    Place("2x4 cyclic", (4,) * 2, order="cyclic"),
    Place("2x4 random", (4,) * 2, order="random:7"),
    Place("3x4", (4,) * 3),
    Place("3,2,4", (3, 2, 4)),
    Place("shared memory", (1,), 2, uplink="none", is_pinned=True),
)}

MEASUREMENTS = (
    Measurement("4x1x4", "all_reduce", SWEEP),
    Measurement("4x1x4", "all_to_all", (16 * MIB,)),
    Measurement("4x4", "all_reduce", SWEEP),
    Measurement("4x4", "all_to_all", SWEEP[:-1]),
    *(Measurement(place, "all_reduce", (16 * MIB,))
      for place in ("2x4", "2x1x4", "2x4 cyclic", "2x4 random", "3x4", "3,2,4")),
    Measurement("shared memory", "all_reduce", SWEEP),
)
SHORT = tuple(Measurement(place, "all_reduce", (16 * MIB,)) for place in ("4x1x4", "4x4"))


def targets_of(place: str, collective: str, kind: str, values: dict[int, float], library: str = "hawser"):
    return [Target(place, collective, size, kind, value, library) for size, value in values.items()]


TARGETS = (
    *targets_of("4x1x4", "all_reduce", "fraction", {MIB: .95, 16 * MIB: .98, 64 * MIB: .99}),
    *targets_of("4x4", "all_reduce", "fraction", {MIB: .93, 16 * MIB: .98, 64 * MIB: .98}),
    *targets_of("2x4", "all_reduce", "fraction", {16 * MIB: .98}),
    *targets_of("2x1x4", "all_reduce", "fraction", {16 * MIB: .98}),
    *targets_of("2x4 cyclic", "all_reduce", "fraction", {16 * MIB: .97}),
    *targets_of("2x4 random", "all_reduce", "fraction", {16 * MIB: .97}),
    *targets_of("3x4", "all_reduce", "fraction", {16 * MIB: .96}),
    *targets_of("3,2,4", "all_reduce", "fraction", {16 * MIB: .96}),
    *targets_of("4x4", "all_to_all", "fraction", {MIB: .92, 16 * MIB: .98}),
    *targets_of("4x1x4", "all_to_all", "fraction", {16 * MIB: .98}),
    *targets_of("4x1x4", "all_reduce", "speedup", {KIB: 3}),
    *targets_of("4x4", "all_reduce", "speedup", {KIB: 3}),
    *targets_of("4x4", "all_to_all", "speedup", {KIB: 2, 16 * KIB: 1.2}),
    *targets_of("4x1x4", "all_reduce", "multiple", {16 * MIB: 1.42, 64 * MIB: 1.45}, "hawser in-network"),
    *targets_of("shared memory", "all_reduce", "speedup", {64 * KIB: 4, MIB: 2.8, 16 * MIB: 3, 64 * MIB: 5},
                "hawser shared buffers"),
    *targets_of("shared memory", "all_reduce", "speedup", {64 * KIB: 2, MIB: 1.6, 16 * MIB: 1.9, 64 * MIB: 3}),
    *targets_of("shared memory", "all_reduce", "speedup", {KIB: 1.4}),
)


def repetitions(size: int, is_pinned: bool) -> tuple[int, int]:
    """(iterations, warm-up) of one launch: a second or two for an ordinary library."""
    limits = ((KIB, 200, 5000), (16 * KIB, 100, 2000), (64 * KIB, 60, 1000), (256 * KIB, 30, 400), (MIB, 15, 200),
              (4 * MIB, 8, 60), (16 * MIB, 5, 20))
    for most, over_network, in_memory in limits:
        if size <= most:
            return (in_memory, 20) if is_pinned else (over_network, 2)
    return (10, 2) if is_pinned else (3, 1)

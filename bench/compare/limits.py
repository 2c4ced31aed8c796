"""What the uplinks allow at most: bytes that must pass the busiest one, and the time and rates that follow."""
from cases import Place


def is_bounded(place: Place) -> bool:
    return len(place.nodes) > 1


def least_bytes(place: Place, collective: str, size: int) -> float:
    """Payload that must pass the busiest uplink, each way. Sizes as in nccl-tests: of a rank's input.

    all_reduce: a reduce-scatter and an all-gather among the racks of what each rack has reduced, 2 S (R-1)/R;
    all_to_all: a block for each pair of ranks in different racks.
    """
    racks, ranks = len(place.nodes), place.ranks
    if collective == "all_reduce":
        return 2 * size * (racks - 1) / racks
    return max(inside * (ranks - inside) for inside in place.ranks_of_racks) * size / ranks


def least_seconds(place: Place, collective: str, size: int, goodput: float) -> float | None:
    """`goodput`: bytes of payload per second that an uplink carries, both ways at once. None where nothing bounds."""
    return least_bytes(place, collective, size) / goodput if is_bounded(place) and goodput else None


def bus_factor(collective: str, ranks: int) -> float:
    """What nccl-tests multiplies algbw with to get busbw."""
    return (2 if collective == "all_reduce" else 1) * (ranks - 1) / ranks


def bus_bandwidth(collective: str, ranks: int, size: int, seconds: float) -> float:
    return size / seconds * bus_factor(collective, ranks)

"""What regret is measured on: layouts of ranks, collectives and sizes. A place is bench/compare's."""
from cases import KIB, MIB, PLACES as COMPARED, Place

COLLECTIVES = ("all_reduce", "reduce_scatter", "all_gather", "all_to_all", "broadcast")
SIZES = tuple(KIB << shift for shift in range(0, 17, 2))  # 1 KiB to 64 MiB
LARGE = MIB  # from here on a call takes long enough that time is short

SEVERAL_NODES = ("2x4", "3x3", "4x4", "3,2,4", "2x4 cyclic")
ONE_NODE = ("2x1x4", "3x1x3", "4x1x4")
PLACES = {place.name: place for place in (
    *(COMPARED[name] for name in ("2x4", "4x4", "3,2,4", "2x4 cyclic", "2x1x4", "4x1x4")),
    Place("3x3", (3,) * 3),
    Place("3x1x3", (1,) * 3, 3),
    Place("2x2", (2,) * 2),
    Place("2x1x2", (1,) * 2, 2),
)}
FULL = (*SEVERAL_NODES, *ONE_NODE)
SHORT = {"places": ("2x2", "2x1x2"), "collectives": ("all_reduce", "broadcast"), "sizes": (KIB, 64 * KIB),
         "time": 12.0}

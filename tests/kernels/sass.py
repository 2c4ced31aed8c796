#!/usr/bin/env python3
"""Reads the machine code (SASS) of the kernels in object files: no register spills, hot loads and stores 16 bytes wide.

usage: sass.py [--list] OBJECT...     exit code 1 where a kernel breaks a rule

Spills: local reductions have none. Kernels over peer memory may keep what is constant in a loop (pointers, counts) in local
memory around it, PEER_SPILLS bytes at most over all such instructions; HOT_SPILLS accesses among the loads of unrolled loops.

Objects are compiled with --no-compress, so that their cubins (ELF, one per architecture) lie in the fat binary as
they are. Instructions have 16 bytes on sm_70 and later: the opcode is in bits 0-11, the size of a memory access in bits
73-75. A kernel's rule follows from its name; one without a rule is an error, so that a new kernel gets one.
"""
import re
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

EM_CUDA = 190
LOAD_GLOBAL, STORE_GLOBAL = 0x981, 0x986
LOAD_LOCAL = 0x983
STORE_LOCAL_FORMS = (0x387, 0x987)
BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 8, 6: 16}
PEER_SPILLS = 384
HOT_SPILLS = 2
CLOSE = 24  # instructions: loads of one unrolled step are no further apart
ONE_BYTE = ("unsigned char", "signed char", "float8_e4m3", "float8_e5m2", "std::byte")


class code:
    """What a kernel's code holds: how many accesses of which width."""

    def __init__(self, name: str, architecture: int, text: bytes):
        self.name, self.architecture = name, architecture
        self.instructions = len(text) // 16
        self.loads, self.stores, self.spilled = Counter(), Counter(), 0
        self.wide_loads_at, self.spills_at = [], []
        for at in range(0, len(text) - 15, 16):
            low, high = struct.unpack_from("<QQ", text, at)
            opcode, width = low & 0xfff, BYTES.get(high >> 9 & 7, 0)
            if opcode == LOAD_GLOBAL:
                self.loads[width] += 1
                if width == 16:
                    self.wide_loads_at.append(at // 16)
            elif opcode == STORE_GLOBAL:
                self.stores[width] += 1
            elif opcode == LOAD_LOCAL or opcode in STORE_LOCAL_FORMS:
                self.spilled += width
                self.spills_at.append(at // 16)

    def spills_in_hot_code(self, unroll: int) -> int:
        """Accesses to local memory among at least `unroll` 16-byte loads, each close to the next."""
        runs: list[list[int]] = []
        for at in self.wide_loads_at:
            if runs and at - runs[-1][-1] <= CLOSE:
                runs[-1].append(at)
            else:
                runs.append([at])
        return sum(run[0] < at < run[-1] for run in runs if len(run) >= unroll for at in self.spills_at)


def cubins(data: bytes):
    """The CUDA ELF images inside an object file."""
    at = data.find(b"\x7fELF", 1)
    while at >= 0:
        if len(data) >= at + 64 and struct.unpack_from("<H", data, at + 18)[0] == EM_CUDA:
            yield data[at:]
        at = data.find(b"\x7fELF", at + 4)


def kernels(image: bytes):
    """The code of every kernel of a cubin."""
    sections, flags = struct.unpack_from("<Q", image, 40)[0], struct.unpack_from("<I", image, 48)[0]
    size, count, names = struct.unpack_from("<HHH", image, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", image, sections + i * size) for i in range(count)]
    base = headers[names][4]
    for header in headers:
        start = base + header[0]
        name = image[start:image.index(b"\0", start)].decode()
        if name.startswith(".text."):
            architecture = flags >> 8 & 0xff if flags >> 8 & 0xff >= 50 else flags & 0xff
            yield code(name[6:], architecture, image[header[4]:header[4] + header[5]])


def demangled(names: list[str]) -> dict[str, str]:
    text = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return dict(zip(names, text.splitlines()))


def unroll_of(name: str) -> int:
    """Steps in flight: fewer for types of one byte (unroll_of in vec16.hpp)."""
    return 2 if re.search("[<, ](" + "|".join(ONE_BYTE) + ")[,>]", name.replace("hawser::", "")) else 4


def rule(name: str) -> tuple[int, int] | None:
    """The fewest 16-byte loads and stores that a kernel must have, from its demangled name."""
    unroll = unroll_of(name)
    if "local_kernel<" in name or "planted" in name:
        return 4 * unroll, unroll + 1   # source 0, two in flight, the last one; the loop for rests once each
    if re.search(r"reduce_kernel<\(hawser::cuda::kernels::on_peers\)2,", name):
        return 1, 1                     # lines
    if "reduce_kernel<(hawser::cuda::kernels::on_peers)" in name:
        return 5 * unroll, 2 * unroll   # staging, or copying in and out, too
    if "multimem" in name:
        return unroll, unroll           # multimem instructions are others; these are the copies in and out
    if "exchange_kernel" in name or "message_kernel" in name:
        return 4, 4
    return None


def broken(each: code, name: str) -> list[str]:
    where = f"{name} (sm_{each.architecture})"
    fewest = rule(name)
    if fewest is None:
        return [f"{where}: no rule for this kernel; add one to tests/kernels/sass.py"]
    wrong = []
    allowed = PEER_SPILLS if "reduce_call" in name or "exchange_call" in name else 0
    hot = each.spills_in_hot_code(unroll_of(name))
    if hot > (HOT_SPILLS if allowed else 0):
        wrong.append(f"{where}: {hot} accesses to local memory in unrolled loops: spills")
    if each.spilled > allowed:
        wrong.append(f"{where}: {each.spilled} bytes of local memory per thread in loads and stores (limit {allowed}): spills")
    if each.loads[16] < fewest[0]:
        wrong.append(f"{where}: {each.loads[16]} global loads of 16 bytes, fewer than {fewest[0]} (all: {dict(each.loads)})")
    if each.stores[16] < fewest[1]:
        wrong.append(f"{where}: {each.stores[16]} global stores of 16 bytes, fewer than {fewest[1]} (all: {dict(each.stores)})")
    return wrong


def main() -> int:
    arguments = sys.argv[1:]
    lists = arguments[:1] == ["--list"]
    arguments = arguments[lists:]
    found = [each for path in arguments for image in cubins(Path(path).read_bytes()) for each in kernels(image)]
    if not found:
        print("sass: no kernel found in " + " ".join(arguments))
        return 1
    names = demangled(sorted({each.name for each in found}))
    wrong = [line for each in found for line in broken(each, names[each.name])]
    if lists:
        for each in found:
            print(f"sm_{each.architecture} {each.instructions:6d} instructions "
                  f"loads {dict(sorted(each.loads.items()))} stores {dict(sorted(each.stores.items()))} {names[each.name]}")
    print("\n".join(wrong))
    print(f"sass: {len(found)} kernels, {sum(each.instructions for each in found)} instructions, "
          f"local memory {sum(each.spilled for each in found)} bytes, {len(wrong)} broken rules")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

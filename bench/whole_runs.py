#!/usr/bin/env python3
"""Times whole runs of `maskrt run` or `maskrt eval`, of one build or of two in turn.

    whole_runs.py --pictures DIR                                    makes 100 pictures of 1920x1080 (needs Pillow)
    whole_runs.py after/bin/maskrt before/bin/maskrt -- run model.maskrt DIR --json r.json --threads 2

Prints a line for each program: medians of the seconds on the wall and of the processors' seconds, the program's start and the
model's loading included; then the ratio of the first program's wall time to each other's. Processor seconds divided by
the processors are what the wall cannot go below.
"""

import argparse
import os
import pathlib
import statistics
import sys
import time

IMAGES = pathlib.Path(__file__).parent.parent / "examples/demo/images"


def make_pictures(folder, count):
    from PIL import Image, ImageOps
    os.makedirs(folder, exist_ok=True)
    sources = sorted(IMAGES.glob("*.jpg"))
    for i in range(count):
        with Image.open(sources[i % len(sources)]) as source:
            picture = source.convert("RGB").resize((1920, 1080), Image.LANCZOS)
        if i // len(sources) % 2:
            picture = ImageOps.mirror(picture)
        picture.save(f"{folder}/{i:03d}.jpg", quality=92)


def run(words):
    """Seconds on the wall and of the processors."""
    start = time.monotonic()
    silent = os.open(os.devnull, os.O_WRONLY)
    child = os.posix_spawn(words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, silent, 1)])
    os.close(silent)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{' '.join(words)}: exit status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime


def main():
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    own, command = sys.argv[1:end], sys.argv[end + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", help="maskrt programs; what they do comes after --")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", metavar="DIR")
    arguments = parser.parse_args(own)
    if arguments.pictures:
        make_pictures(arguments.pictures, 100)
        return
    if not arguments.programs or not command:
        parser.error("expected a program, and after -- its arguments")
    times = {program: [] for program in arguments.programs}
    for _ in range(arguments.rounds):
        for program in arguments.programs:
            times[program].append(run([program, *command]))
    first = statistics.median(wall for wall, _ in times[arguments.programs[0]])
    for program, measured in times.items():
        walls, processors = zip(*measured)
        wall = statistics.median(walls)
        print(f"{program}: {wall:.2f} s ({min(walls):.2f} to {max(walls):.2f}), processors "
              f"{statistics.median(processors):.2f} s, ratio {first / wall:.2f}")


if __name__ == "__main__":
    main()

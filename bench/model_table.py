#!/usr/bin/env python3
"""The table of docs/models.md: every published config, with random weights, at its own test size on the CPU.

    bench/model_table.py build/bin                      all published configs
    bench/model_table.py build/bin sparse_inst_r50_giam ...
    bench/model_table.py build/bin --rival NAME          each in turn with NAME, whose time is 1

Prints rows of Markdown: parameters, multiply-adds counted as two operations, the plan's arena, the network's median
milliseconds and the whole call's, and with --rival the ratio of the network's time to the rival's, run by run in turn.
Everything is converted, planned and run; nothing is read from elsewhere.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile


def output_of(*words):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


def converted(programs, name, folder):
    path = folder / f"{name}.maskrt"
    output_of(programs / "maskrt-convert", "--random-weights", "--config", name, "-o", path)
    return path


def measured(programs, model, arguments):
    report = model.with_suffix(".json")
    output_of(programs / "maskrt", "bench", model, "--threads", arguments.threads, "--runs", arguments.runs,
              "--precision", arguments.precision, "--json", report)
    return json.loads(report.read_text())


def parameters_of(programs, model):
    lines = output_of(programs / "maskrt", "info", model).splitlines()
    return int(next(line for line in lines if line.startswith("parameters")).split()[-1])


def row(programs, name, rival, arguments, folder):
    model = converted(programs, name, folder)
    ratios, reports = [], []
    for _ in range(arguments.rounds):
        reports.append(measured(programs, model, arguments))
        if rival:
            other = measured(programs, rival, arguments)
            ratios.append(reports[-1]["network_alone"]["median_ms"] / other["network_alone"]["median_ms"])
    report = reports[-1]

    def median(stage):
        return statistics.median(r[stage]["median_ms"] for r in reports)

    cells = [f"`{name}`", f"{parameters_of(programs, model):,}", f"{1e-9 * report['all_layers']['flops']:.1f}",
             report["size"], f"{1e-6 * report['arena_bytes']:.0f}", f"{median('network_alone'):.0f}",
             f"{median('whole_call'):.0f}"]
    if rival:
        cells.append(f"{statistics.median(ratios):.2f}")
    model.unlink()
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path, help="the folder of maskrt and maskrt-convert")
    parser.add_argument("configs", nargs="*", help="published configs; none: all")
    parser.add_argument("--rival", metavar="NAME")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--precision", default="fp32")
    arguments = parser.parse_args()
    names = arguments.configs or output_of(arguments.programs / "maskrt-convert", "--list-configs").split()
    heads = ["config", "parameters", "GFLOP", "input", "arena MB", "network ms", "whole call ms"]
    if arguments.rival:
        heads.append(f"network / {arguments.rival}")
    print("|", " | ".join(heads), "|")
    print("|" + "---|" * len(heads), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        rival = converted(arguments.programs, arguments.rival, pathlib.Path(folder)) if arguments.rival else None
        if rival:
            rival = rival.rename(rival.with_name("rival.maskrt"))
        for name in names:
            print("|", " | ".join(row(arguments.programs, name, rival, arguments, pathlib.Path(folder))), "|",
                  flush=True)


if __name__ == "__main__":
    main()

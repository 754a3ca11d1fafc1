#!/usr/bin/env python3
"""Times a model file's network on the CPU in turn with PyTorch, onnxruntime and OpenVINO.

    cpu_rivals.py build/bin/maskrt MODEL.maskrt --size 640x864 --threads 1 --rounds 5

In each round every runtime computes the network `--runs` times; a line a runtime gives the median over all runs, in
milliseconds, and maskrt's time as a share of it: the median over rounds, of medians of one round. PyTorch runs
torch_network.py's graph, contiguous and channels last; the others what that exports for this size, in fp32. A runtime that
cannot run the network is told with its reason. Random input; logits in, masks of the network's size out, no post-processing.

Needs PyTorch, onnx, onnxruntime and openvino (PyPI; for OpenVINO and onnxruntime: those that are there). For developers.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch

import torch_network


def seconds_of(run, runs):
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def maskrt(arguments, folder):
    report = folder / "maskrt.json"

    def seconds(runs):
        subprocess.run([arguments.maskrt, "bench", arguments.model, "--size", arguments.size, "--batch",
                        str(arguments.batch), "--threads", str(arguments.threads), "--runs", str(runs), "--precision",
                        arguments.precision, "--json", report], check=True, stdout=subprocess.DEVNULL)
        return [1e-3 * json.loads(report.read_text())["network_alone"]["median_ms"]]
    return seconds


def pytorch(network, image, memory_format):
    torch.backends.mkldnn.enabled = True
    network = torch_network.Network(network).eval().to(memory_format=memory_format)
    image = image.to(memory_format=memory_format)

    def run():
        with torch.inference_mode():
            network(image)
    run()
    return lambda runs: seconds_of(run, runs)


def onnxruntime(path, image, threads):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: image.numpy()}
    session.run(None, feed)
    return lambda runs: seconds_of(lambda: session.run(None, feed), runs)


def openvino(path, image, threads, precision):
    import openvino as ov
    properties = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
    request = ov.Core().compile_model(path, "CPU", properties).create_infer_request()
    feed = {0: image.numpy()}
    request.infer(feed)
    return lambda runs: seconds_of(lambda: request.infer(feed), runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("maskrt", help="the program")
    parser.add_argument("model")
    parser.add_argument("--size", default="640x864", metavar="HxW")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="fp32", help="maskrt's; OpenVINO runs in fp32 and, for bf16, in bf16, too")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    height, width = map(int, arguments.size.split("x"))
    image = torch.randn(arguments.batch, 3, height, width)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        exported = str(folder / "network.onnx")
        prepare = {
            "maskrt": lambda: maskrt(arguments, folder),
            "PyTorch": lambda: pytorch(arguments.model, image, torch.contiguous_format),
            "PyTorch, channels last": lambda: pytorch(arguments.model, image, torch.channels_last),
            "onnxruntime": lambda: onnxruntime(exported, image, arguments.threads),
            "OpenVINO": lambda: openvino(exported, image, arguments.threads, "f32"),
        }
        if arguments.precision == "bf16":
            prepare["OpenVINO bf16"] = lambda: openvino(exported, image, arguments.threads, "bf16")
        try:
            torch_network.export(torch_network.Network(arguments.model).eval(), arguments.batch, height, width, exported)
        except Exception as error:  # whatever an exporter raises is the reason that is told
            print(f"export: {error}", flush=True)
        runtimes = {}
        for name, make in prepare.items():
            try:
                runtimes[name] = make()
            except Exception as error:
                print(f"{name}: does not run this network: {error}", flush=True)
        rounds = [{name: statistics.median(seconds(arguments.runs)) for name, seconds in runtimes.items()}
                  for _ in range(arguments.rounds)]
    for name in runtimes:
        median = statistics.median(found[name] for found in rounds)
        share = statistics.median(found["maskrt"] / found[name] for found in rounds)
        print(f"{name:24} {1e3 * median:8.1f} ms   maskrt takes {share:.2f} of it")


if __name__ == "__main__":
    main()

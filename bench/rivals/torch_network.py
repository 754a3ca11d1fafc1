#!/usr/bin/env python3
"""Runs a model file's network in PyTorch: a rival for `maskrt bench`, and a second opinion on `maskrt dump`.

    torch_network.py MODEL.maskrt --size 640x864 --batch 8 --json times.json   times on the GPU, fp16, channels last
    torch_network.py MODEL.maskrt --compare tensors.safetensors                fp32 on the CPU against what dump wrote

Needs PyTorch alone. For developers: nothing that maskrt builds or ships uses it. docs/model-file.md describes what is read.
"""

import argparse
import json
import struct
import sys
import time

import torch
import torch.nn.functional as F

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
          "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
          "BOOL": torch.bool}


def read_safetensors(path):
    """Tensors by name, and the metadata."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(memoryview(data)[begin:end], dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def coordinates_like(x):
    """Two channels, x then y, from -1 to 1 over the map."""
    rows = torch.linspace(-1, 1, x.shape[2], device=x.device, dtype=x.dtype)
    columns = torch.linspace(-1, 1, x.shape[3], device=x.device, dtype=x.dtype)
    y, x_ = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x_, y]).expand(x.shape[0], -1, -1, -1)


def activate(x, activation):
    return {"none": lambda v: v, "relu": torch.relu, "sigmoid": torch.sigmoid}[activation](x)


def normalise(maps, epsilon):
    return maps / maps.sum(dim=(2, 3), keepdim=True).clamp(min=epsilon)


def softmax_maps(maps):
    return maps.flatten(2).softmax(-1).view_as(maps)


def aggregate(maps, features):
    return torch.bmm(maps.flatten(2), features.flatten(2).transpose(1, 2))


class Network(torch.nn.Module):
    """The graph of a model file, node by node, as PyTorch's own operations. Maps are NCHW, lists [batch, rows, numbers]."""

    CONSTANTS = ("weight", "bias", "mean", "variance", "coordinate_weight")

    def __init__(self, path):
        super().__init__()
        tensors, metadata = read_safetensors(path)
        if metadata.get("maskrt.format") != "1":
            raise ValueError(f"{path}: expected a model file of format 1, found {metadata.get('maskrt.format')}")
        graph = json.loads(metadata["maskrt.graph"])
        self.name = metadata["maskrt.name"]
        self.nodes, self.outputs = graph["nodes"], graph["outputs"]
        for i, node in enumerate(self.nodes):
            for key in self.CONSTANTS:
                if isinstance(node.get(key), str):
                    self.register_buffer(f"n{i}_{key}", tensors[node[key]].clone().float())

    def constant(self, i, key):
        return getattr(self, f"n{i}_{key}", None)

    def forward(self, image):
        values = {}
        for i, node in enumerate(self.nodes):
            inputs = [values[name] for name in node["inputs"]]
            values[node["output"]] = image if node["op"] == "input" else self.compute(i, node, *inputs)
        return [values[name] for name in self.outputs]

    def compute(self, i, node, x, *rest):
        op = node["op"]
        if op == "conv":
            geometry = (node["stride"], node["padding"], node["dilation"])
            y = F.conv2d(x, self.constant(i, "weight"), self.constant(i, "bias"), *geometry, node["groups"])
            if node["coordinate_weight"] is not None:
                y = y + F.conv2d(coordinates_like(x), self.constant(i, "coordinate_weight"), None, *geometry)
            return activate(y + rest[0] if node["residual"] else y, node["activation"])
        if op == "batch_norm":
            return F.batch_norm(x, self.constant(i, "mean"), self.constant(i, "variance"), self.constant(i, "weight"),
                                self.constant(i, "bias"), False, 0.0, node["epsilon"])
        if op == "activate":
            return activate(x, node["activation"])
        if op == "add":
            return x + rest[0]
        if op == "max_pool":
            return F.max_pool2d(x, node["kernel"], node["stride"], node["padding"])
        if op == "adaptive_average_pool":
            return F.adaptive_avg_pool2d(x, node["size"])
        if op == "upsample_nearest":
            return F.interpolate(x, scale_factor=node["factor"], mode="nearest")
        if op == "resize_bilinear":
            if node["factor"] != 0:
                return F.interpolate(x, scale_factor=node["factor"], mode="bilinear", align_corners=False)
            *maps, like = x, *rest
            return sum(F.interpolate(m, size=like.shape[2:], mode="bilinear", align_corners=False) for m in maps)
        if op == "concat":
            return torch.cat([x, *rest], 1)
        if op == "slice":
            return x[:, node["begin"]:node["begin"] + node["count"]]
        if op == "coordinates":
            return coordinates_like(x)
        if op == "normalise_maps":
            return normalise(x, node["epsilon"])
        if op == "softmax_maps":
            return softmax_maps(x)
        if op == "aggregate":
            return aggregate(x, rest[0])
        if op == "aggregate_logits":
            maps = softmax_maps(x) if node["softmax"] else normalise(torch.sigmoid(x), node["epsilon"])
            return aggregate(maps, rest[0])
        if op == "regroup":
            blocks = x.reshape(x.shape[0], node["blocks"], node["instances"], -1)
            return blocks.transpose(1, 2).reshape(x.shape[0], node["instances"], -1)
        if op == "linear":
            return activate(F.linear(x, self.constant(i, "weight"), self.constant(i, "bias")), node["activation"])
        if op == "mask_product":
            features = rest[0]
            kernels = x[..., :features.shape[1]]
            maps = torch.bmm(kernels, features.flatten(2))
            if node["offset"]:
                maps = maps + x[..., features.shape[1]:]
            return maps.view(x.shape[0], x.shape[1], *features.shape[2:])
        raise ValueError(f"node {node['name']}: expected an operation of docs/model-file.md, found {op}")


def compare(network, path):
    """Whether the outputs agree with a dump to a thousandth of their deviation (fp32, sums in another order)."""
    dumped, _ = read_safetensors(path)
    agrees = True
    with torch.inference_mode():
        outputs = dict(zip(network.outputs, network(dumped["input"])))
    for name, output in outputs.items():
        distance = (output - dumped[name]).square().mean().sqrt().item()
        deviation = dumped[name].std().item()
        print(f"{name:24} rms distance {distance:.3g}, standard deviation {deviation:.3g}")
        agrees = agrees and output.shape == dumped[name].shape and distance <= 1e-3 * deviation
    return agrees


def seconds_of(run, runs):
    """GPU time of each run by events, after ten that warm up."""
    for _ in range(10):
        run()
    torch.cuda.synchronize()
    pairs = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(runs)]
    for begin, end in pairs:
        begin.record()
        run()
        end.record()
    torch.cuda.synchronize()
    return sorted(begin.elapsed_time(end) * 1e-3 for begin, end in pairs)


def replayed(network, image):
    """The network as one CUDA graph, as PyTorch records it: what is left when launches cost nothing."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            network(image)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        network(image)
    return graph.replay


def measure(network, batch, height, width, runs):
    torch.backends.cudnn.benchmark = True
    network = network.half().cuda().to(memory_format=torch.channels_last).eval()
    image = torch.randn(batch, 3, height, width, device="cuda", dtype=torch.half).to(memory_format=torch.channels_last)
    compiled = torch.compile(network, mode="max-autotune")
    modes = {"eager": lambda: lambda: network(image), "graph": lambda: replayed(network, image),
             "compiled": lambda: lambda: compiled(image)}
    found = {"network": network.name, "gpu": torch.cuda.get_device_name(), "torch": torch.__version__, "batch": batch,
             "size": f"{height}x{width}", "precision": "fp16"}
    with torch.inference_mode():
        for name, prepare in modes.items():
            start = time.monotonic()
            run = prepare()
            run()
            torch.cuda.synchronize()
            first = time.monotonic() - start
            seconds = seconds_of(run, runs)
            figures = {f"{what}_ms": 1e3 * seconds[round(share * (runs - 1))]
                       for what, share in (("median", 0.5), ("p10", 0.1), ("p90", 0.9), ("p99", 0.99))}
            found[name] = {**figures, "runs": runs}
            print(f"torch {torch.__version__} {name:8} batch {batch:2}, {height}x{width}, fp16:",
                  ", ".join(f"{what} {value:.3f}" for what, value in figures.items()), f"; first call {first:.1f} s",
                  flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--compare", metavar="FILE", help="tensors that maskrt dump wrote")
    parser.add_argument("--size", default="640x864", metavar="HxW")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    network = Network(arguments.model)
    if arguments.compare:
        return 0 if compare(network, arguments.compare) else 1
    height, width = map(int, arguments.size.split("x"))
    found = measure(network, arguments.batch, height, width, arguments.runs)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs a model file's network in PyTorch: a rival for `maskrt bench`, and a second opinion on `maskrt dump`.

    torch_network.py MODEL.maskrt --size 640x864 --batch 8 --json times.json   times on the GPU, fp16, channels last
    torch_network.py MODEL.maskrt --compare tensors.safetensors                fp32 on the CPU against what dump wrote
    torch_network.py MODEL.maskrt --size 640x864 --onnx network.onnx           exports it for one size

Needs PyTorch alone (deformable convolutions torchvision, too; --onnx the package onnx). For developers: nothing that maskrt
builds or ships uses it. docs/model-file.md describes what is read. cpu_rivals.py times it on the CPU, beside others.
"""

import argparse
import json
import re
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
    return {"none": lambda v: v, "relu": torch.relu, "sigmoid": torch.sigmoid, "gelu": F.gelu,
            "leaky_relu": lambda v: F.leaky_relu(v, 0.01)}[activation](x)


def rows_of(x):
    """A map's pixels, or a list's rows: [batch, rows, numbers]."""
    return x.flatten(2).transpose(1, 2) if x.dim() == 4 else x


def placed_like(rows, x):
    """Rows back in the place of x, a map or a list."""
    return rows.transpose(1, 2).unflatten(2, x.shape[2:]) if x.dim() == 4 else rows


def average_over_cells(x, size):
    """Adaptive average pooling by slices and means, which exporters know where they do not know the pooling."""
    def bounds(extent):
        return [(i * extent // size, -(-(i + 1) * extent // size)) for i in range(size)]
    rows = [torch.cat([x[:, :, top:bottom, left:right].mean((2, 3), keepdim=True)
                       for left, right in bounds(x.shape[3])], 3) for top, bottom in bounds(x.shape[2])]
    return torch.cat(rows, 2)


def attention(heads, queries, keys, values, logits=None):
    """Keys where a query's mask logit is below 0 are left out, unless all are; queries without a mask attend everywhere."""
    q, k, v = (rows_of(x).unflatten(2, (heads, -1)).transpose(1, 2) for x in (queries, keys, values))
    allowed = None
    if logits is not None:
        seen = logits.flatten(2) >= 0
        seen = seen | ~seen.any(2, keepdim=True)
        allowed = F.pad(seen, (0, 0, 0, q.shape[2] - seen.shape[1]), value=True).unsqueeze(1)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    return placed_like(out.transpose(1, 2).flatten(2), queries)


def proposal_scores(logits, epsilon):
    """p of each position's likeliest class, plus 1 where no neighbour of the same class has a larger one."""
    best, label = logits.softmax(1)[:, :-1].max(1, keepdim=True)
    of_class = torch.zeros_like(logits[:, :-1]).scatter(1, label, best)
    around = F.max_pool2d(of_class, 3, 1, 1).gather(1, label)
    return rows_of(best + ((best >= around) & (best >= epsilon)).to(best.dtype))


def gathered(x, positions):
    rows = rows_of(x)
    return rows.gather(1, positions.expand(-1, -1, rows.shape[2]))


def normalise(maps, epsilon):
    return maps / maps.sum(dim=(2, 3), keepdim=True).clamp(min=epsilon)


def softmax_maps(maps):
    return maps.flatten(2).softmax(-1).view_as(maps)


def aggregate(maps, features):
    return torch.bmm(maps.flatten(2), features.flatten(2).transpose(1, 2))


def constant_of(tensors, name):
    """A tensor of the file, or the rows of it that `name[begin:end]` says."""
    rows = re.fullmatch(r"(.*)\[(\d+):(\d+)\]", name)
    return tensors[rows[1]][int(rows[2]):int(rows[3])] if rows else tensors[name]


class Network(torch.nn.Module):
    """The graph of a model file, node by node, as PyTorch's own operations. Maps are NCHW, lists [batch, rows, numbers]."""

    CONSTANTS = ("weight", "bias", "mean", "variance", "coordinate_weight", "value")

    def __init__(self, path):
        super().__init__()
        tensors, metadata = read_safetensors(path)
        if metadata.get("maskrt.format") not in ("1", "2"):
            raise ValueError(f"{path}: expected a model file of format 1 or 2, found {metadata.get('maskrt.format')}")
        graph = json.loads(metadata["maskrt.graph"])
        self.name = metadata["maskrt.name"]
        self.nodes, self.outputs = graph["nodes"], graph["outputs"]
        for i, node in enumerate(self.nodes):
            for key in self.CONSTANTS:
                if isinstance(node.get(key), str):
                    self.register_buffer(f"n{i}_{key}", constant_of(tensors, node[key]).clone().float())

    def constant(self, i, key):
        return getattr(self, f"n{i}_{key}", None)

    def forward(self, image):
        values = {}
        for i, node in enumerate(self.nodes):
            if node["op"] == "input":
                values[node["output"]] = image
                continue
            made = self.compute(i, node, *(values[name] for name in node["inputs"]))
            if "output" in node:
                values[node["output"]] = made
            else:
                values.update(zip(node["outputs"], made))
        return [values[name] for name in self.outputs]

    def compute(self, i, node, x=None, *rest):
        op = node["op"]
        if op == "conv":
            geometry = (node["stride"], node["padding"], node["dilation"])
            y = F.conv2d(x, self.constant(i, "weight"), self.constant(i, "bias"), *geometry, node["groups"])
            if node["coordinate_weight"] is not None:
                y = y + F.conv2d(coordinates_like(x), self.constant(i, "coordinate_weight"), None, *geometry)
            if node["residual"]:
                y = y + node.get("residual_scale", 1) * rest[0]
            return activate(y, node["activation"])
        if op == "deform_conv":
            return activate(self.deform_conv(i, node, x, rest[0]), node["activation"])
        if op == "batch_norm":
            return F.batch_norm(x, self.constant(i, "mean"), self.constant(i, "variance"), self.constant(i, "weight"),
                                self.constant(i, "bias"), False, 0.0, node["epsilon"])
        if op == "activate":
            return activate(x, node["activation"])
        if op == "add":
            return x + rest[0]
        if op == "max_pool":
            return F.max_pool2d(x, node["kernel"], node["stride"], node["padding"])
        if op == "average_pool":
            return F.avg_pool2d(x, node["kernel"], node["stride"], ceil_mode=True, count_include_pad=False)
        if op == "adaptive_average_pool":
            return average_over_cells(x, node["size"]) if torch.onnx.is_in_onnx_export() else F.adaptive_avg_pool2d(x, node["size"])
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
            if self.constant(i, "bias") is not None:
                x = x + self.constant(i, "bias").view(-1, 1, 1)
            maps = softmax_maps(x) if node["softmax"] else normalise(torch.sigmoid(x), node["epsilon"])
            return aggregate(maps, rest[0])
        if op == "regroup":
            blocks = x.reshape(x.shape[0], node["blocks"], node["instances"], -1)
            return blocks.transpose(1, 2).reshape(x.shape[0], node["instances"], -1)
        if op == "linear":
            rows = F.linear(rows_of(x), self.constant(i, "weight"), self.constant(i, "bias"))
            return activate(placed_like(rows, x), node["activation"])
        if op == "layer_norm":
            weight = self.constant(i, "weight")
            rows = F.layer_norm(rows_of(x), weight.shape, weight, self.constant(i, "bias"), node["epsilon"])
            return activate(placed_like(rows, x), node["activation"])
        if op == "group_norm":
            return activate(F.group_norm(x, node["groups"], self.constant(i, "weight"), self.constant(i, "bias"),
                                         node["epsilon"]), node["activation"])
        if op == "attention":
            return attention(node["heads"], x, *rest)
        if op == "parameter":
            return self.constant(i, "value").unsqueeze(0)
        if op == "parameter_map":
            return F.interpolate(self.constant(i, "value"), size=x.shape[2:], mode="bilinear", align_corners=False)
        if op == "concat_rows":
            batch = max(part.shape[0] for part in (x, *rest))
            return torch.cat([part.expand(batch, -1, -1) for part in (x, *rest)], 1)
        if op == "slice_rows":
            return x[:, node["begin"]:node["begin"] + node["count"]]
        if op == "proposal_scores":
            return proposal_scores(x, node["epsilon"])
        if op == "select_top":
            scores, positions = rows_of(x).topk(node["count"], dim=1)
            return positions, scores
        if op == "gather_positions":
            positions = rest[0]
            return gathered(x.expand(positions.shape[0], *x.shape[1:]), positions)
        if op == "mask_product":
            features = rest[0]
            kernels = x[..., :features.shape[1]]
            maps = torch.bmm(kernels, features.flatten(2))
            if node["offset"]:
                maps = maps + x[..., features.shape[1]:]
            return maps.view(x.shape[0], x.shape[1], *features.shape[2:])
        raise ValueError(f"node {node['name']}: expected an operation of docs/model-file.md, found {op}")


    def deform_conv(self, i, node, x, offsets):
        from torchvision.ops import deform_conv2d
        weight = self.constant(i, "weight")
        mask = None
        if node["modulated"]:
            places = 2 * node["offset_groups"] * weight.shape[2] * weight.shape[3]
            offsets, mask = offsets[:, :places], offsets[:, places:].sigmoid()
        return deform_conv2d(x, offsets, weight, self.constant(i, "bias"), node["stride"], node["padding"],
                             node["dilation"], mask)


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


def export(network, batch, height, width, path):
    image = torch.randn(batch, 3, height, width)
    with torch.inference_mode():
        torch.onnx.export(network, (image,), path, input_names=["image"], output_names=network.outputs, opset_version=18,
                          dynamo=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--compare", metavar="FILE", help="tensors that maskrt dump wrote")
    parser.add_argument("--size", default="640x864", metavar="HxW")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--onnx", metavar="FILE", help="write the network for this batch and size instead")
    arguments = parser.parse_args()
    network = Network(arguments.model).eval()
    if arguments.compare:
        return 0 if compare(network, arguments.compare) else 1
    height, width = map(int, arguments.size.split("x"))
    if arguments.onnx:
        export(network, arguments.batch, height, width, arguments.onnx)
        return 0
    found = measure(network, arguments.batch, height, width, arguments.runs)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())

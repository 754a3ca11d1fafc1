#!/usr/bin/env python3
"""Makes the sets of this folder, and what tidecv 1.0.1 says of them and of the demo's results.

make_sets.py DEMO [FOLDER]     (pip install tidecv==1.0.1 pycocotools opencv-python-headless matplotlib seaborn)
"""
import json
import os
import sys

import numpy
from pycocotools import mask as masks
from tidecv import TIDE, datasets

HEIGHT, WIDTH = 40, 56


def shape(box, round_one=True):
    """An ellipse, or a rectangle, in a box x, y, width, height: its mask, and the mask's own box."""
    x, y, w, h = box
    rows, columns = numpy.mgrid[:HEIGHT, :WIDTH] + 0.5
    far = (numpy.abs(columns - x - w / 2) / (w / 2)), (numpy.abs(rows - y - h / 2) / (h / 2))
    inside = far[0] ** 2 + far[1] ** 2 < 1 if round_one else numpy.maximum(*far) < 1
    runs = masks.encode(numpy.asfortranarray(inside, dtype=numpy.uint8))
    return {"size": [HEIGHT, WIDTH], "counts": runs["counts"].decode()}, [float(v) for v in masks.toBbox(runs)]


class Set:
    def __init__(self, images, categories):
        self.images = [{"id": i, "file_name": f"{i}.jpg", "height": HEIGHT, "width": WIDTH} for i in images]
        self.categories = [{"id": c, "name": f"kind {c}"} for c in categories]
        self.annotations, self.results = [], []

    def truth(self, image, category, box, crowd=0, **shape_options):
        segmentation, tight = shape(box, **shape_options)
        self.annotations.append({"id": len(self.annotations) + 1, "image_id": image, "category_id": category,
                                 "iscrowd": crowd, "ignore": len(self.annotations) % 3 == 0,
                                 "area": int(masks.area(segmentation)), "bbox": tight, "segmentation": segmentation})

    def result(self, image, category, box, score, **shape_options):
        segmentation, tight = shape(box, **shape_options)
        self.results.append({"image_id": image, "category_id": category, "bbox": tight, "score": score,
                             "segmentation": segmentation})

    def write(self, annotations, results):
        with open(annotations, "w") as file:
            json.dump({key: getattr(self, key) for key in ("images", "categories", "annotations")}, file)
        with open(results, "w") as file:
            json.dump(self.results, file)


def random_set(seed, images=8, truths=6, copies=2, strays=4, levels=1000, crowds=0.2):
    """Truths of categories 1 to 5, of which 5 is never predicted; results of 1 to 4, of 6, which has no truths, and of
    9, which is not listed. Every fifth image has no truths, every seventh no results."""
    rng = numpy.random.default_rng(seed)
    ids = [int(i) for i in rng.permutation(images)]
    made = Set(ids, [1, 2, 3, 4, 5, 6])
    score = lambda: int(rng.integers(1, levels)) / levels
    for image in ids:
        for _ in range(0 if image % 5 == 4 else int(rng.integers(1, truths + 1))):
            box = [*(rng.integers(0, 40, 2) * [1, 0.7]), *rng.integers(6, 24, 2)]
            category = int(rng.integers(1, 6))
            made.truth(image, category, box, int(rng.random() < crowds))
            for _ in range(0 if image % 7 == 6 else int(rng.integers(0, copies + 2))):
                near = numpy.array(box) + rng.normal(0, rng.choice([0.5, 2, 5]), 4)
                found = category if rng.random() < 0.7 else int(rng.integers(1, 6))
                made.result(image, 9 if found == 5 else found, [*near[:2], *numpy.maximum(near[2:], 3)], score())
        for _ in range(0 if image % 7 == 6 else int(rng.integers(0, strays + 1))):
            box = [*rng.integers(-4, 40, 2), *rng.integers(3, 24, 2)]
            made.result(image, int(rng.choice([1, 2, 3, 4, 6])), box, score())
    rng.shuffle(made.results)
    return made


def limits():
    """Overlaps of exactly 0.5 and 0.1 with truths that are free, taken, of another category and crowds, one image each;
    one more with a crowd alone."""
    made = Set(range(11, 20), [1, 2])
    plain = {"round_one": False}
    image = iter(range(11, 20))
    for category, crowd, taken in [(1, 0, False), (1, 0, True), (2, 0, False), (2, 0, True), (1, 1, False)]:
        at = next(image)
        made.truth(at, category, [0, 0, 20, 10], crowd, **plain)
        if taken:
            made.result(at, category, [0, 0, 20, 9], 0.9, **plain)
        made.result(at, 1, [0, 0, 10, 10], 0.8, **plain)  # 1/2; of a crowd all
        made.result(at, 1, [0, 0, 20, 20], 0.7, **plain)  # 1/2, and so of a crowd
        made.result(at, 1, [0, 0, 2, 10], 0.6, **plain)  # 1/10
        made.result(at, 1, [18, 0, 20, 20], 0.5, **plain)  # less
    at = next(image)
    made.truth(at, 1, [0, 0, 20, 10], **plain)
    made.truth(at, 1, [10, 0, 20, 10], 1, **plain)
    made.result(at, 1, [10, 0, 20, 10], 0.95, **plain)  # in the crowd, and a third of the truth
    made.result(at, 1, [12, 0, 20, 10], 0.65, **plain)
    at = next(image)
    made.truth(at, 1, [0, 0, 20, 10], **plain)
    made.truth(at, 2, [0, 0, 20, 10], **plain)
    made.result(at, 1, [0, 0, 15, 10], 0.85, **plain)
    made.result(at, 1, [0, 0, 20, 10], 0.55, **plain)  # better as a 2
    return made


SETS = {
    "mixed": lambda: random_set(1, images=10, truths=8, copies=3),
    "ties": lambda: random_set(2, images=14, copies=3, levels=4),
    "many": lambda: random_set(4, images=2, truths=12, copies=14, strays=400, levels=1000),
    "limits": limits,
}


def tide_numbers(annotations, results, mode):
    run = TIDE(mode=mode).evaluate(datasets.COCO(annotations), datasets.COCOResult(results))
    deltas = {**run.fix_main_errors(), **run.fix_special_errors()}
    return {"AP": run.ap, **{kind.short_name: delta for kind, delta in deltas.items()}}


def main(demo, folder="."):
    for name, make in SETS.items():
        make().write(f"{folder}/{name}_annotations.json", f"{folder}/{name}_results.json")
    files = {name: (f"{folder}/{name}_annotations.json", f"{folder}/{name}_results.json") for name in SETS}
    files["demo"] = (f"{demo}/annotations.json", f"{demo}/reference_results.json")
    expected = {name: {"segm": tide_numbers(*pair, TIDE.MASK), "bbox": tide_numbers(*pair, TIDE.BOX)}
                for name, pair in files.items()}
    with open(os.path.join(folder, "expected.json"), "w") as file:
        json.dump(expected, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])

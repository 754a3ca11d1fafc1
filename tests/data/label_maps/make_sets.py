#!/usr/bin/env python3
"""Makes the sets of this folder, and what COCO's panopticapi and detectron2's SemSegEvaluator say of them.

make_sets.py PANOPTICAPI DETECTRON2 [FOLDER [SEED COUNT]]    (pip install numpy pillow)

PANOPTICAPI and DETECTRON2 are checkouts of these projects. Of detectron2 the one file
detectron2/evaluation/sem_seg_evaluation.py is run, with stand-ins for what it imports. With SEED and COUNT, that many
random sets are made in FOLDER instead of those of this folder.
"""
import contextlib
import importlib.util
import io
import json
import os
import sys
import types

import numpy
from PIL import Image

HEIGHT, WIDTH = 40, 56
CATEGORIES = [
    {"id": 1, "name": "person", "isthing": 1, "color": [220, 20, 60]},
    {"id": 3, "name": "car", "isthing": 1, "color": [0, 0, 142]},
    {"id": 7, "name": "ship", "isthing": 1},
    {"id": 90, "name": "sky", "isthing": 0, "color": [70, 130, 180]},
    {"id": 100, "name": "road", "isthing": 0, "color": [128, 64, 128]},
    {"id": 133, "name": "rug", "isthing": 0},
]
THINGS, STUFF = [1, 3], [90, 100]  # 7 and 133 are rare


def write_ids(path, ids):
    rgb = numpy.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1).astype(numpy.uint8)
    Image.fromarray(rgb).save(path, optimize=True)


def ellipse(random, height=HEIGHT, width=WIDTH):
    rows, columns = numpy.mgrid[:height, :width]
    y, x = random.uniform(0, height), random.uniform(0, width)
    h, w = random.uniform(3, height / 3), random.uniform(3, width / 3)
    return ((rows - y) / h) ** 2 + ((columns - x) / w) ** 2 < 1


def moved(mask, dy, dx):
    return numpy.roll(numpy.roll(mask, dy, axis=0), dx, axis=1)


class PanopticImage:
    """A map of ids and what they are."""

    def __init__(self):
        self.ids = numpy.zeros((HEIGHT, WIDTH), dtype=numpy.int64)
        self.segments = {}

    def add(self, mask, id, category, crowd=0):
        self.ids[mask] = id
        self.segments[id] = {"id": int(id), "category_id": category, "iscrowd": crowd}

    def infos(self):
        """Those that have pixels."""
        infos = []
        for id, info in self.segments.items():
            ys, xs = numpy.nonzero(self.ids == id)
            if len(ys) == 0:
                continue
            box = [int(xs.min()), int(ys.min()), int(xs.max() - xs.min() + 1), int(ys.max() - ys.min() + 1)]
            infos.append({**info, "area": int(len(ys)), "bbox": box})
        return infos


class PanopticSet:
    def __init__(self):
        self.truths, self.results = {}, {}

    def image(self, image_id):
        self.truths[image_id], self.results[image_id] = PanopticImage(), PanopticImage()
        return self.truths[image_id], self.results[image_id]

    def write(self, folder, name, change=None):
        paths = [os.path.join(folder, name + "_truths"), os.path.join(folder, name + "_results")]
        for path, images, is_truth in zip(paths, (self.truths, self.results), (True, False)):
            os.makedirs(path, exist_ok=True)
            annotations = []
            for image_id, image in images.items():
                file_name = f"{image_id:06d}.png"
                write_ids(os.path.join(path, file_name), image.ids)
                infos = image.infos()
                if not is_truth:
                    infos = [{"id": info["id"], "category_id": info["category_id"]} for info in infos]
                annotations.append({"image_id": image_id, "file_name": file_name, "segments_info": infos})
            whole = {"annotations": annotations}
            if is_truth:
                images = [{"id": i, "file_name": f"{i:06d}.jpg", "height": HEIGHT, "width": WIDTH} for i in images]
                whole = {"images": images, "categories": CATEGORIES, **whole}
                if change:
                    change(annotations)
            with open(path + ".json", "w") as file:
                json.dump(whole, file)
        return [path + ".json" for path in paths]


def random_panoptic(random, images):
    made = PanopticSet()
    ids = numpy.unique(random.integers(1, 1 << 24, 4000))
    random.shuffle(ids)
    ids = list(ids)
    for i in range(images):
        truth, result = made.image(int(random.integers(1, 1000)) * 1000 + i)
        if random.random() < 0.1:  # all void, or nothing found
            truth, result = (truth, PanopticImage()) if random.random() < 0.5 else (PanopticImage(), result)
        for category in STUFF + ([133] if random.random() < 0.3 else []):
            areas = [ellipse(random) for _ in range(int(random.integers(1, 4)))]
            mask = numpy.logical_or.reduce(areas)  # one segment of several areas
            truth.add(mask, ids.pop(), category)
            if random.random() < 0.8:
                mask = moved(mask, *random.integers(-3, 4, 2))
                result.add(mask, ids.pop(), category if random.random() < 0.8 else int(random.choice(STUFF)))
        for _ in range(int(random.integers(0, 7))):
            mask, category = ellipse(random), int(random.choice(THINGS))
            crowd = int(random.random() < 0.25)
            truth.add(mask, ids.pop(), category, crowd)
            for _ in range(int(random.integers(0, 3)) if crowd else int(random.random() < 0.8)):
                mask = moved(mask, *random.integers(-4, 5, 2))
                result.add(mask, ids.pop(), category if random.random() < 0.8 else int(random.choice(THINGS)))
        if random.random() < 0.7:
            truth.ids[ellipse(random)] = 0
        if random.random() < 0.7:
            result.ids[ellipse(random)] = 0
    return made


def box(x, y, width, height):
    mask = numpy.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[y : y + height, x : x + width] = True
    return mask


def limits():
    """Overlaps of exactly a half, and a pixel more."""
    made = PanopticSet()
    truth, result = made.image(1)
    truth.add(box(0, 0, 30, 10), 5, 1)  # IoU 200 / 400: no match
    result.add(box(10, 0, 30, 10), 6, 1)
    truth.add(box(0, 20, 31, 10), 7, 3)  # 210 / 410: a match
    result.add(box(10, 20, 31, 10), 8, 3)
    truth, result = made.image(2)  # half in void: a false positive; a pixel more: none
    truth.add(box(0, 0, 20, 20), 65536, 90)
    result.add(box(10, 0, 20, 10), 256, 1)
    result.add(box(10, 10, 21, 5), 65535, 3)
    truth, result = made.image(3)  # the later of two crowds counts
    truth.add(box(0, 0, 20, 20), 9, 1, 1)
    truth.add(box(30, 0, 20, 20), 3, 1, 1)
    truth.add(box(0, 20, 56, 20), 4, 100)
    result.add(box(0, 0, 10, 10), 1, 1)
    result.add(box(30, 0, 10, 10), 2, 1)
    result.add(box(32, 12, 10, 16), 11, 1)  # 80 of 160 pixels
    result.add(box(42, 11, 10, 16), 12, 1)  # 8 rows of 9 to 8: more than half
    result.add(box(30, 30, 10, 5), 13, 1)
    truth, result = made.image(4)  # void pixels make the union smaller
    truth.add(box(0, 0, 10, 10), 21, 3)
    result.add(box(0, 0, 10, 30), 22, 3)
    truth, result = made.image(5)  # nothing at all
    truth, result = made.image(6)  # the areas of the JSON file count, which are others here
    truth.add(box(0, 0, 10, 10), 31, 1)
    result.add(box(0, 0, 10, 10), 32, 1)
    return made


def panoptic_quality(panopticapi, truths, results):
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            found = panopticapi.pq_compute(truths, results)
        except ZeroDivisionError:  # no thing, or no stuff
            return None
    return {
        name: {key: value for key, value in found[group].items()}
        for name, group in (("all", "All"), ("things", "Things"), ("stuff", "Stuff"))
    } | {"per_class": {str(key): value for key, value in found["per_class"].items()}}


class Tensor:
    """What the evaluator asks of a network's output, of which only the largest place matters."""

    def __init__(self, labels):
        self.labels = labels

    def argmax(self, dim):
        return self

    def to(self, device):
        return self.labels


def load_evaluator(detectron2):
    names = ["torch", "pycocotools", "pycocotools.mask", "detectron2", "detectron2.data", "detectron2.utils",
             "detectron2.utils.comm", "detectron2.utils.file_io", "detectron2.evaluation", "detectron2.evaluation.evaluator"]
    for name in names:
        sys.modules[name] = types.ModuleType(name)
    modules = sys.modules
    modules["pycocotools"].mask = modules["pycocotools.mask"]
    modules["pycocotools.mask"].encode = lambda masks: [{"counts": b""}]
    modules["detectron2.data"].DatasetCatalog = modules["detectron2.data"].MetadataCatalog = None
    modules["detectron2.utils.comm"].all_gather = modules["detectron2.utils.comm"].is_main_process = None
    modules["detectron2.utils.comm"].synchronize = None
    modules["detectron2.utils.file_io"].PathManager = None
    modules["detectron2.evaluation.evaluator"].DatasetEvaluator = object
    path = os.path.join(detectron2, "detectron2/evaluation/sem_seg_evaluation.py")
    spec = importlib.util.spec_from_file_location("detectron2.evaluation.sem_seg_evaluation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SemSegEvaluator


def semantic_score(evaluator, pairs, classes, ignored):
    """`pairs` of label maps as indices."""
    one = object.__new__(evaluator)
    one._num_classes, one._ignore_label, one._class_names = classes, ignored, [str(i) for i in range(classes)]
    one._distributed, one._output_dir, one._compute_boundary_iou = False, None, False
    one._contiguous_id_to_dataset_id, one._cpu_device = None, None
    one._logger = types.SimpleNamespace(info=lambda text: None)
    one.input_file_to_gt_file = {i: i for i in range(len(pairs))}
    one.sem_seg_loading_fn = lambda i, dtype: pairs[i][0].astype(dtype)
    one.reset()
    for i, (_, result) in enumerate(pairs):
        one.process([{"file_name": i}], [{"sem_seg": Tensor(result)}])
    found = one.evaluate()["sem_seg"]
    number = lambda value: -1 if numpy.isnan(value) else float(value) / 100
    return {
        "mIoU": number(found["mIoU"]),
        "fwIoU": number(found["fwIoU"]),
        "mACC": number(found["mACC"]),
        "pACC": number(found["pACC"]),
        "IoU": [number(found[f"IoU-{i}"]) for i in range(classes)],
        "ACC": [number(found[f"ACC-{i}"]) for i in range(classes)],
    }


def random_labels(random, classes, ignored):
    """A truth and a result that is much like it, as indices."""
    truth = numpy.full((HEIGHT, WIDTH), random.choice(classes))
    for _ in range(8):
        truth[ellipse(random)] = random.choice(classes)
    result = truth.copy()
    for _ in range(4):
        result[ellipse(random)] = random.choice(classes)
    for _ in range(2):
        truth[ellipse(random)] = ignored
    return truth, result


def write_labels(path, labels, palette=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if labels.max() > 255:
        Image.fromarray(labels.astype(numpy.uint16)).save(path)
        return
    picture = Image.fromarray(labels.astype(numpy.uint8))
    if palette:
        picture.putpalette([value for i in range(256) for value in (i, 255 - i, i * 7 % 256)])
    picture.save(path, optimize=True)


CITYSCAPES = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
CITYSCAPES_IGNORED = [0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30]


def semantic_sets(evaluator, folder, random, images=3):
    """Names of files, numbers of classes and of ignored pixels as each data set has them."""
    expected = {}

    def make(name, classes, ignored, used, truth_file, result_file, truth_of=None, result_of=None, palette=False):
        pairs = []
        for i in range(images):
            truth, result = random_labels(random, used, ignored)
            if i == images - 1 and images > 2:
                truth[:] = ignored  # an image in which nothing counts
            pairs.append((truth, result))
            write_labels(os.path.join(folder, name, "truths", truth_file(i)), truth_of(truth) if truth_of else truth)
            shown = result_of(result) if result_of else result
            write_labels(os.path.join(folder, name, "results", result_file(i)), shown, palette)
        expected[name] = semantic_score(evaluator, pairs, classes, ignored)

    def cityscapes_ids(truth):
        ids = numpy.array(CITYSCAPES + [0] * 237)[truth]
        ignored = random.choice(CITYSCAPES_IGNORED, truth.shape)
        return numpy.where(truth == 255, ignored, ids)

    same = lambda i: f"{i:03d}.png"
    make("plain", 21, 255, [0, 2, 3, 7, 20], same, same, palette=True)
    make("many", 300, 65535, [0, 1, 255, 256, 299], same, same)
    city = lambda end: lambda i: f"aachen/aachen_{i:06d}_000019_{end}.png"
    make("cityscapes", 19, 255, list(range(19)), city("gtFine_labelIds"),
         lambda i: f"aachen_{i:06d}_000019_leftImg8bit.png", cityscapes_ids)
    make("train_ids", 19, 255, [0, 1, 10, 13, 18], city("gtFine_labelTrainIds"), city("pred"),
         result_of=lambda result: numpy.array(CITYSCAPES)[result])
    ade = lambda i: f"ADE_val_{i + 1:08d}.png"
    make("ade20k", 150, 255, [0, 1, 2, 12, 149], ade, ade, lambda truth: numpy.where(truth == 255, 0, truth + 1))
    return expected


def main():
    sys.path.insert(0, sys.argv[1])
    from panopticapi import evaluation

    evaluator = load_evaluator(sys.argv[2])
    folder = sys.argv[3] if len(sys.argv) > 3 else os.path.dirname(os.path.abspath(__file__))
    expected = {"panoptic": {}, "semantic": {}}
    if len(sys.argv) > 5:
        for seed in range(int(sys.argv[4]), int(sys.argv[4]) + int(sys.argv[5])):
            random = numpy.random.default_rng(seed)
            name = f"random{seed}"
            quality = panoptic_quality(evaluation, *random_panoptic(random, int(random.integers(1, 30))).write(folder, name))
            if quality:
                expected["panoptic"][name] = quality
            scores = semantic_sets(evaluator, os.path.join(folder, name), random, int(random.integers(1, 8)))
            for key, score in scores.items():
                expected["semantic"][f"{name}/{key}"] = score
    else:
        def other_areas(annotations):
            annotations[5]["segments_info"][0]["area"] = 140

        sets = {"mixed": random_panoptic(numpy.random.default_rng(3), 12), "limits": limits()}
        for name, made in sets.items():
            paths = made.write(folder, name, other_areas if name == "limits" else None)
            expected["panoptic"][name] = panoptic_quality(evaluation, *paths)
        expected["semantic"] = semantic_sets(evaluator, folder, numpy.random.default_rng(5))
    with open(os.path.join(folder, "expected.json"), "w") as file:
        json.dump(expected, file)


if __name__ == "__main__":
    main()

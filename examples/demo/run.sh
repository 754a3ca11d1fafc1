#!/bin/sh
# The demo: run.sh BIN OUTPUT. Converts the bundled checkpoint, segments the bundled pictures, evaluates mask AP on the
# annotated ones, and ends with a table. BIN holds maskrt and maskrt-convert; everything is written below OUTPUT.
set -eu
bin=$1
out=$2
demo=$(dirname "$0")
mkdir -p "$out"

echo "== Convert the checkpoint"
"$bin/maskrt-convert" "$demo/checkpoint.pth" --config "$demo/config.yaml" --labels "$demo/labels.json" \
  -o "$out/shapes.maskrt"

echo
echo "== Segment the pictures"
"$bin/maskrt" run "$out/shapes.maskrt" "$demo/showcase" --json "$out/showcase.json" --overlay "$out/showcase" \
  | tee "$out/showcase.txt"
"$bin/maskrt" run "$out/shapes.maskrt" "$demo/images" --json "$out/images.json" --overlay "$out/images" --quiet

echo
echo "== Evaluate on the annotated pictures"
"$bin/maskrt" eval "$out/shapes.maskrt" --images "$demo/images" --annotations "$demo/annotations.json" \
  --results "$out/results.json" --json "$out/ap.json" | tee "$out/evaluation.txt"

# The first number after a name in our file; the first of the reference's list for masks.
ours=$(sed -n 's/.*"AP": *\([0-9.]*\).*/\1/p' "$out/ap.json" | head -n 1)
reference=$(awk '/"segm"/ {getline; sub(/,/, ""); print $1; exit}' "$demo/reference_ap.json")

echo
echo "== maskrt on $demo"
echo
awk 'BEGIN { printf "%-12s %12s %12s\n", "picture", "size", "detections" }
     / detections? *$/ { printf "%-12s %12s %12d\n", $1, $2, $3 }' "$out/showcase.txt"
echo
printf '%-32s %8s %10s\n' "on 60 annotated pictures" maskrt reference
printf '%-32s %8.4f %10.4f\n' "mask AP" "$ours" "$reference"
printf '%-32s %8.1f\n' "ms an image, wall time" \
  "$(sed -n 's/.* \([0-9.]*\) ms an image.*/\1/p' "$out/evaluation.txt" | head -n 1)"
echo
echo "Pictures with what was found: $out/showcase and $out/images"

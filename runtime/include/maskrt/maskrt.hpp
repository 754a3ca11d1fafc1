// maskrt: instance segmentation inference. The C++ interface.
//
//   maskrt::Model model = maskrt::Model::load("sparse_inst_r50_giam.maskrt");
//   maskrt::Session session(model);
//   for (const maskrt::Instance& instance : session.run(maskrt::Image::from_file("street.jpg")))
//     std::printf("%s %.2f\n", instance.label.c_str(), instance.score);
//
// Errors are maskrt::Error (types.hpp), also where memory runs out or a library below throws something else. Every call
// that throws leaves its objects usable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "types.hpp"

namespace maskrt {

/// "0.1.0"
MASKRT_API const char* version();

// ---- Images ---------------------------------------------------------------------------------------------------------

enum class PixelFormat : std::uint8_t { rgb, bgr, grey };

struct DecodeOptions {
  bool exif_orientation = true;  ///< turn and mirror as EXIF or XMP says; false keeps the raw pixels
};

/// An 8-bit picture. Copies share the pixels. Immutable, so it may be read from several threads. One that was moved
/// from has no pixels: whatever asks it throws Error.
class MASKRT_API Image {
 public:
  /// JPEG, PNG, BMP, PNM (PBM, PGM, PPM) or the first frame of a GIF; with libmaskrt_images.so beside libmaskrt.so also
  /// WebP and TIFF, and then the pixels of all are those of Pillow's convert("RGB") (docs/accuracy.md). Grey, palette,
  /// alpha (dropped), CMYK and 16-bit (its upper byte) become 8-bit RGB. Thread-safe. Throws Error that names the file
  /// and what is wrong with it, other formats by their names.
  static Image from_file(const std::string& path, const DecodeOptions& options = {});
  /// An encoded file in memory. `name` stands for it in messages.
  static Image from_bytes(std::span<const std::byte> bytes, const DecodeOptions& options = {},
                          const std::string& name = "image");
  /// Pixels that stay the caller's and must outlive the image: `width` * 3 bytes a row (grey: * 1), rows `row_stride`
  /// bytes apart (negative for bottom-up pictures; 0: dense).
  static Image from_pixels(const std::uint8_t* pixels, int width, int height, PixelFormat format,
                           std::ptrdiff_t row_stride = 0);

  int width() const;
  int height() const;
  PixelFormat format() const;
  const std::uint8_t* row(int y) const;

 private:
  struct Data;
  explicit Image(std::shared_ptr<const Data> data);
  static Image decoded(std::span<const std::byte> bytes, const DecodeOptions& options, const std::string& name);
  const Data& data() const;
  std::shared_ptr<const Data> data_;
};

/// A picture in device memory, which stays the caller's and must stay as it is until the work that reads it is done.
struct DeviceImage {
  const void* pixels = nullptr;  ///< of the first row: memory of the session's GPU, or page-locked memory
  int width = 0, height = 0;
  PixelFormat format = PixelFormat::rgb;
  std::ptrdiff_t row_stride = 0;  ///< bytes from row to row; negative for bottom-up pictures; 0: dense
};

/// What a session looks at. Pictures in host memory are sent to the device, those on it are read where they lie.
using InputImage = std::variant<Image, DeviceImage>;

// ---- Results --------------------------------------------------------------------------------------------------------

/// What a box encloses.
enum class BoxOf : std::uint8_t {
  mask,     ///< the set pixels of the mask, exactly: whole numbers
  network,  ///< the object, as the network says; the mask may reach beyond it or not fill it
};

/// Pixels, with exclusive extents: the box covers x up to x + width. All 0 for an empty mask.
struct Box {
  float x = 0, y = 0, width = 0, height = 0;
  BoxOf of = BoxOf::mask;
};

/// COCO's compressed run-length encoding, column-major.
struct Rle {
  int height = 0, width = 0;
  std::string counts;
};

/// A point of an outline, in pixel corners.
struct Point {
  float x = 0, y = 0;
};

/// A binary mask of the image's size. Every form but the bits is made when asked for. Copies share the bits.
class MASKRT_API Mask {
 public:
  Mask();  ///< 0 x 0, as one that was moved from
  int width() const;
  int height() const;
  std::int64_t area() const;
  bool at(int x, int y) const;
  /// Packed column by column: pixel (x, y) is bit y % 64 of bits()[x * words_per_column() + y / 64].
  std::span<const std::uint64_t> bits() const;
  int words_per_column() const;
  Rle rle() const;
  /// Closed outlines along pixel edges (as COCO's polygons, one ring for each connected outline; holes run the other
  /// way round). Pixels are 4-connected.
  std::vector<std::vector<Point>> polygon() const;
  /// Row-major, 0 or 1, width * height bytes.
  std::vector<std::uint8_t> bitmap() const;

  struct Data;
  explicit Mask(std::shared_ptr<const Data> data);

 private:
  const Data& data() const;
  std::shared_ptr<const Data> data_;
};

struct Instance {
  float score = 0;
  int class_id = 0;     ///< 0-based
  int category_id = 0;  ///< the dataset's id of that class
  std::string label;
  Box box;
  Mask mask;
  /// Which of the network's queries found it, from 0. A query has learned in training where to look and for what.
  int query = 0;
};

/// A picture's instance activation maps (SparseInst): for each query of a network, where in the picture it gathers the
/// features of its instance, and with which weight. A query has one map, or with groups (G-IAM) one for each group of
/// features; maps_of() tells which are whose. Copies share the numbers; may be read from several threads.
class MASKRT_API ActivationMaps {
 public:
  ActivationMaps();  ///< none
  int queries() const;
  int count() const;  ///< maps of all queries together
  /// Of every map. It covers the network's input: the resized picture, and right and below of it the padding.
  int width() const;
  int height() const;

  /// The maps of a query, ascending; Instance::query names an instance's. Queries may share maps: those of a
  /// GroupIAMDecoder whose GROUPS is not 4 do. Throws Error for a query that there is not.
  std::vector<int> maps_of(int query) const;
  /// [height(), width()], row-major: weights from 0 to 1, or where the network takes a softmax (GroupIAMSoftDecoder)
  /// weights that add up to 1. Throws Error for a map that there is not.
  std::vector<float> map(int index) const;
  /// The part of a map that the picture fills, resized bilinearly to [height, width]: with the picture's own size a
  /// number for each of its pixels. Throws Error for a map that there is not, and for a size below 1x1.
  std::vector<float> over_image(int index, int width, int height) const;

  struct Data;
  explicit ActivationMaps(std::shared_ptr<const Data> data);

 private:
  const Data& data() const;
  std::shared_ptr<const Data> data_;
};

/// A class for every pixel of a picture.
struct SemanticMap {
  int width = 0, height = 0;
  std::vector<std::int32_t> class_ids;  ///< [height, width], row-major: 0-based; -1 where there is none
};

/// A thing, or all pixels of a class of stuff.
struct PanopticSegment {
  std::int32_t id = 0;  ///< in PanopticMap::ids; from 1
  float score = 0;      ///< of a thing; stuff has none
  int class_id = 0;     ///< 0-based
  int category_id = 0;  ///< the dataset's id of that class
  std::string label;
  bool is_thing = true;
  std::int64_t area = 0;
  Box box;
};

/// A segment for every pixel of a picture.
struct PanopticMap {
  int width = 0, height = 0;
  std::vector<std::int32_t> ids;  ///< [height, width], row-major; 0 where there is no segment
  std::vector<PanopticSegment> segments;
};

/// What was found in one picture, by Task, in the order of that enumeration.
using Result = std::variant<std::vector<Instance>, SemanticMap, PanopticMap>;
constexpr Task task_of(const Result& result) { return static_cast<Task>(result.index()); }

/// How many there are of what Session::enqueue leaves in device memory.
struct DeviceCounts {
  std::uint32_t instances;  ///< of all images
  std::uint32_t reserved0;
  std::uint64_t words;  ///< of 64 bits, in all masks and between them
  std::uint64_t runs;   ///< run lengths that all masks need; those of instances beyond the capacity are missing
  std::uint32_t reserved1[10];
};

/// One instance in device memory. Its bits are stored for a part of the image, a box of whole words outside of which
/// none is set: pixel (x, y) is bit y % 64 of words[first_word + (x - box_x) * box_words + y / 64 - box_word].
struct DeviceInstance {
  std::int32_t image;     ///< position in the call
  std::int32_t query;     ///< of the network; instances are in the order of images, then queries
  std::int32_t class_id;  ///< 0-based
  float score;
  std::int32_t box_x, box_columns;   ///< the box: its columns,
  std::int32_t box_word, box_words;  ///< and of each column rows 64 * box_word to 64 * (box_word + box_words) - 1
  std::uint64_t first_word;          ///< of its bits in DeviceResults::words
  std::uint64_t first_run;           ///< of its run lengths in DeviceResults::runs
  std::uint64_t area;                ///< pixels inside
  std::uint32_t reserved;
  std::uint32_t runs;                     ///< how many run lengths it has
  std::int32_t left, top, right, bottom;  ///< the mask's extents, all inclusive; right < left where it is empty
};

/// Where Session::enqueue leaves its results. All but the sizes are addresses in device memory, written in the order of
/// `stream` and valid until the session's next call.
struct DeviceResults {
  void* stream = nullptr;                         ///< the CUstream that all work is on
  std::size_t images = 0;                         ///< of the call
  std::size_t most_instances = 0;                 ///< room in `instances`
  const DeviceCounts* counts = nullptr;           ///< one
  const std::uint32_t* first_instance = nullptr;  ///< [images + 1]: image i has first_instance[i] up to [i + 1] - 1
  const DeviceInstance* instances = nullptr;      ///< counts->instances of them
  const std::uint64_t* words = nullptr;           ///< counts->words of them
  const std::uint32_t* runs = nullptr;            ///< COCO's run lengths, zeros first; null: not asked for
  std::size_t run_capacity = 0;                   ///< room in `runs`
};

// ---- Models ---------------------------------------------------------------------------------------------------------

/// What a network is stored and multiplied in; sums are fp32 always.
enum class Compute : std::uint8_t {
  automatic,  ///< the device's own: fp32 on the CPU, fp16 on a GPU
  fp32,
  bf16,  ///< CPU
  fp16,  ///< GPU
  tf32,  ///< GPU, compute capability 8.0 and newer: stored as fp32, convolved with 10 bits of fraction
};

struct ModelOptions {
  /// "cpu", "cuda" or "cuda:N" (the N-th GPU, from 0), or "auto": the first GPU, and the CPU where there is none.
  std::string device = "auto";
  Compute precision = Compute::automatic;
  std::set<std::string, std::less<>> rewrites_off;  ///< rewrites to leave out, by name; "all" for every one
  /// On the CPU nothing is measured to choose algorithms: `tuning` decides, or else a rule. The same images then give
  /// the same bits in every process on processors of one kind, for the same number of threads and composition of the
  /// batch. On a GPU this is so in any case.
  bool deterministic = false;
  /// A file written by `maskrt tune`: which algorithm each convolution takes on one kind of GPU or processor. On the
  /// CPU nothing is measured then; sizes that the file lacks take what it has for the nearest size. Elsewhere it is
  /// ignored, and ModelInfo::tuning_reason says why. Model::load throws Error that names the line where it is no such
  /// file.
  std::string tuning;
  std::vector<std::string> keep;  ///< values to keep as further outputs, by name; "all" for every named one
  /// Runs leave what Session::activations() gives. Model::load throws Error where ModelInfo::has_activations is false.
  bool activations = false;
};

/// How images become the network's input: detectron2's shortest-edge resize, then zeros on the right and at the bottom.
struct InputSettings {
  int min_size = 0;  ///< INPUT.MIN_SIZE_TEST: pixels that the shorter side gets; 0: images keep their size
  int max_size = 0;  ///< INPUT.MAX_SIZE_TEST: both sides shrink where the longer one would get more; 0: no bound
  int size_divisibility = 0;  ///< height and width are padded to multiples; 0: to those of the batch's largest image
};

/// What a call says of the resize in place of the model, each from 0 to 65536 and with the meaning that it has in
/// InputSettings. Where min_size exceeds max_size, max_size decides: no side gets longer.
struct ResizeOptions {
  std::optional<int> min_size, max_size;  ///< none: the model's
};

struct ModelInfo {
  std::string name;
  std::string head;              ///< "SparseInst": what its outputs mean
  std::vector<Task> tasks;       ///< what it can find; none: it is run for its tensors alone
  bool has_activations = false;  ///< whether its queries have instance activation maps
  std::string device;            ///< "cpu", "cuda:0"
  std::string device_reason;     ///< under "auto", why it is not a GPU; empty otherwise
  std::string tuning_reason;     ///< why the tuning file is ignored; empty otherwise
  std::string precision;
  InputSettings input;
  std::vector<Category> categories;
  std::int64_t parameters = 0;
};

/// Bytes of each part of what a model and its plans hold.
struct MemoryUse {
  std::size_t prepared_weights = 0;  ///< the device's copies, shared by all plans of the model
  std::size_t arena = 0;             ///< values and scratch of this plan
  std::size_t scratch = 0;           ///< the part of the arena's buffers that is scratch
};

/// A network, loaded and checked. Immutable; copies share it; sessions on several threads may use one.
class MASKRT_API Model {
 public:
  /// Reads and checks the file, and prepares it for the device. Weights are read again when a plan needs them in
  /// another layout, from the file that was opened: one that is renamed over it or removed does not matter. Where it is
  /// overwritten or cut in place, such a plan throws Error instead of mixing two models; plans made before go on.
  /// Throws Error.
  static Model load(const std::string& path, const ModelOptions& options = {});
  /// A model file in memory, of which the model keeps a copy. `name` stands for it in messages.
  static Model load(std::span<const std::byte> file, const ModelOptions& options = {},
                    const std::string& name = "model in memory");
  /// The same without a copy: the bytes are shared, and must not change while the model or a copy of it lives. For
  /// bytes that are part of the program, a pointer that owns nothing will do.
  static Model load(std::shared_ptr<const std::byte[]> file, std::size_t size, const ModelOptions& options = {},
                    const std::string& name = "model in memory");
  ModelInfo info() const;

  struct Impl;
  explicit Model(std::shared_ptr<Impl> impl);
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

/// Where a session gets its device memory; called by the thread that calls the session.
struct DeviceAllocator {
  /// `bytes` bytes or more of the session's GPU, aligned to 256, for work on `stream` (a CUstream); null where there
  /// are none.
  std::function<void*(std::size_t bytes, void* stream)> allocate;
  /// Takes them back; the work that used them is done. Must not throw.
  std::function<void(void* memory, std::size_t bytes, void* stream)> release;
};

struct SessionOptions {
  /// 1 to 4096, that it computes with on the CPU. 0: all that the process may use, which is as many as the calling
  /// thread's affinity has processors, and no more than the quotas of the process's control groups give, rounded up.
  int threads = 0;
  std::size_t plans = 4;  ///< at least 1: plans kept, least recently used first out
  /// The caller's CUstream (a cudaStream_t is one) in the GPU's primary context; it outlives the session. Work comes
  /// after what was put on it before the call, and before what is put on it after the call. Null: the session's own.
  void* stream = nullptr;
  DeviceAllocator allocator = {};  ///< empty: the driver's memory
};

/// As what masks leave a GPU. Every form of a Mask can be had from either.
enum class MaskForm : std::uint8_t {
  bits,
  runs,  ///< COCO's run lengths, made on the GPU: far fewer bytes, for those who want Mask::rle()
};

struct RunOptions {
  std::optional<Task> task;  ///< of results(); none: the first of ModelInfo::tasks
  float minimum_score = 0;   ///< not negative: final scores below are left out; above 1, all are
  bool masks = true;         ///< false: no masks, boxes or areas are computed
  MaskForm mask_form = MaskForm::bits;
  std::size_t run_capacity = 0;  ///< enqueue(): room for run lengths; 0: four for each column of every query's mask
  /// Smaller inputs take less time and lose accuracy. A session may be called with other sizes every time: images that
  /// come to the same padded input share a plan.
  ResizeOptions resize = {};
};

/// Seconds that the last run took, by stage. On a GPU, by its own clock: the way of the pixels to it, all that it
/// computes, and the way of the results back.
struct Timings {
  double preprocess = 0, network = 0, postprocess = 0;
};

/// Time and work of one step of a plan.
struct LayerTiming {
  std::string name;
  std::string module;  ///< the part of the network that it belongs to: "backbone", "encoder", "decoder"
  std::string operation, algorithm;
  double seconds = 0, flops = 0, bytes = 0;
  double bound = 0;  ///< seconds that the device's arithmetic and memory need at least; 0 where it does not tell
};

/// One of the network's tensors: fp32, row-major, NCHW (lists of vectors: [batch, n, channels]).
struct HostTensor {
  Shape shape;
  std::vector<float> values;
};

/// Positions of FastInst's queries, for a call that fixes them. A position is y * W + x on the map [H, W] that queries
/// are selected from: the network's input at stride 16.
struct QueryPositions {
  std::int64_t images = 0, queries = 0;  ///< of the batch; of an image
  std::vector<std::int64_t> values;      ///< [images, queries], row-major
  std::string name = "query positions";  ///< stands for them in messages
};

/// Runs a model. Belongs to one thread at a time: a call while another is running, or on a session that was moved from,
/// throws Error. Holds an arena and its plans, one for each (batch, height, width).
/// The same images and the same plan give the same bits; with ModelOptions::deterministic so do plans of other sessions
/// and processes for the same number of threads.
class MASKRT_API Session {
 public:
  explicit Session(const Model& model, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// Instances in the order of the network's queries, those with empty masks included.
  std::vector<Instance> run(const Image& image, const RunOptions& options = {});
  /// A batch of images of any sizes: each is resized, and all are padded to the largest. The padding takes part in the
  /// network, so results depend a little on the batch's composition.
  std::vector<std::vector<Instance>> run(std::span<const Image> images, const RunOptions& options = {});
  /// The same for pictures in device memory, alone or beside others. Throws Error on a device that is no GPU, and where
  /// an address is not one that the GPU reads.
  std::vector<std::vector<Instance>> run(std::span<const InputImage> images, const RunOptions& options = {});

  /// What the model finds, of RunOptions::task. Throws Error where the model does not find it.
  std::vector<Result> results(std::span<const InputImage> images, const RunOptions& options = {});

  /// On a GPU: the same without waiting. The work is put on the session's stream, and its results stay in device
  /// memory. Waits only where memory grows, the last call's pictures are still on their way from host memory, or four
  /// calls are. With MaskForm::runs there are run lengths beside the bits. Faults of the work show in a later call.
  DeviceResults enqueue(std::span<const InputImage> images, const RunOptions& options = {});

  /// The values that ModelOptions::keep names, as the last run() or results() left them. Throws Error where there was
  /// none since the plan changed.
  std::map<std::string, HostTensor> kept();
  /// The instance activation maps of each picture of the last run() or results(), with ModelOptions::activations.
  /// Throws Error without, and where there was none since the plan changed.
  std::vector<ActivationMaps> activations();
  /// Runs the network alone and gives its input, its outputs and the kept values by name.
  std::map<std::string, HostTensor> tensors(std::span<const Image> images, const ResizeOptions& resize = {});
  /// The same with FastInst's queries taken at these positions, in place of the best that the network finds: nearly
  /// tied ones come in another order in another precision, and everything after the selection follows it. Throws Error
  /// for a network that selects no queries, other numbers of images or queries than the batch's and the network's, and
  /// positions that are none of the map's.
  std::map<std::string, HostTensor> tensors(std::span<const Image> images, const ResizeOptions& resize,
                                            const QueryPositions& positions);

  /// Makes the plan for a padded input size, so that the first run of that size finds it made.
  void prepare(int batch, int height, int width);
  /// Runs the network of that plan on a generated input, once; gives its seconds, a GPU's by its own clock. For
  /// benchmarks.
  double run_network(int batch, int height, int width, std::vector<LayerTiming>* layers = nullptr);
  /// Runs as run() does, with the stages started one by one, and gives what each takes. On a GPU that is its own work
  /// alone, by its clock, without the ways of pixels and results, which timings() counts instead. For benchmarks.
  Timings time_stages(std::span<const Image> images, const ResizeOptions& resize = {});
  /// Measures the algorithms that could compute each convolution of that plan, on the CPU for the session's number of
  /// threads, and gives the text of a tuning file with the fastest ones, and with what the model's own has for others.
  /// `progress`, where given, hears how many of how many convolutions are done; it may be called on another thread,
  /// while the caller waits. Throws Error on a virtual GPU.
  std::string tune(int batch, int height, int width,
                   const std::function<void(std::size_t done, std::size_t all)>& progress = {});
  /// Of the plan for that size; makes it where needed.
  MemoryUse memory(int batch, int height, int width);

  Timings timings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The model's settings with what a call says in their place. Throws Error that names an option out of range.
MASKRT_API InputSettings input_settings(const ModelInfo& model, const ResizeOptions& resize);

/// The network's input size for a batch of these images: (height, width), padded. Throws Error as run() does: for
/// options out of range, and where nothing bounds the longer side and it would exceed 65536 pixels.
MASKRT_API std::pair<int, int> input_size(const ModelInfo& model, std::span<const Image> images,
                                          const ResizeOptions& resize = {});

}  // namespace maskrt

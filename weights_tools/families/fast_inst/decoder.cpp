// The transformer decoder of FastInst (He et al., 2023): queries selected out of the middle level by the class that its
// pixels seem to have, and layers in which pixels attend to queries and queries to the pixels under their masks.
#include "decoder.h"

#include <cmath>
#include <string>

#include "transformer.h"

namespace maskrt::weights {
namespace {

using graph::ValueId;

const std::string kPrefix = "sem_seg_head.predictor.", kKeys = "MODEL.FASTINST.";
const std::string kClasses = "MODEL.SEM_SEG_HEAD.NUM_CLASSES";

// Random weights: classes spread, and masks have an inside and an outside.
constexpr LayerFills kProposalFills = {.weight = {.gain = 2}, .bias = {.scale = 0.5}};
constexpr LayerFills kClassFills = {.weight = {.gain = 3}, .bias = {.scale = 0.5}};
constexpr LayerFills kMaskFills = {.weight = {.gain = 0.5}, .bias = {.scale = 0.2}};

class QueryDecoder {
 public:
  QueryDecoder(const QueryDecoderConfig& config, const std::array<ValueId, 3>& levels, Layers& net)
      : config_(config), middle_(levels[1]), finest_(levels[2]), net_(net) {
    if (net.channels(finest_) != kUnknown && net.channels(finest_) % config.heads != 0)
      net.weights().report(kKeys + "NHEADS: expected heads that divide the " + std::to_string(net.channels(finest_)) +
                           " channels, found " + std::to_string(config.heads));
  }

  FastInstOutputs build() {
    State now{select_queries(), finest_};  // queries [B, Q + A, C], pixels [B, h, w, C]
    pixel_embeddings_ = net_.parameter_map(kPrefix + "pixel_pos_embeds", meta_embeddings_, finest_);  // [B, h, w, C]
    ValueId masks = predict_masks(now, 0);                                                            // [B, h, w, Q]
    for (int i = 0; i < config_.layers; ++i) {
      now = layer(now, masks, i);
      masks = predict_masks(now, i + 1);
    }
    net_.weights().expect_absent(
        kPrefix + "decoder_query_norm_layers." + std::to_string(config_.layers + 1) + ".weight",
        kKeys + "DEC_LAYERS " + std::to_string(config_.layers) + " does not have");
    return {predict_classes(), masks, query_positions_};
  }

 private:
  // What layers change.
  struct State {
    ValueId queries, pixels;
  };

  // The queries' features, and their positions beside them.
  ValueId select_queries() {
    const std::string name = kPrefix + "query_proposal.";
    const std::int64_t channels = net_.channels(middle_);
    ValueId y = net_.conv(name + "conv_proposal_cls_logits.0", middle_, channels,
                          {.kernel = 3, .padding = 1, .bias = true, .fills = kReluFills});
    y = net_.relu(name + "conv_proposal_cls_logits.1", y);
    y = net_.conv(name + "conv_proposal_cls_logits.2", y, Dim(config_.classes + 1, kClasses + " and one of none"),
                  {.bias = true, .fills = kProposalFills}, "proposal_logits");  // [B, h/2, w/2, K + 1]
    y = net_.add(name + "scores", graph::ProposalScores{}, {y}, 1);             // [B, h/2 * w/2, 1]
    query_positions_ = net_.add_several(name + "topk", graph::SelectTop{config_.queries}, {y}, {1, 1},
                                        {"query_positions", "query_scores"})[0];  // [B, Q, 1], integers

    // As large as it takes to have about one number for each query.
    const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(config_.queries)));
    const Dim extent(side, kKeys + "NUM_OBJECT_QUERIES " + std::to_string(config_.queries));
    meta_embeddings_ = net_.weights().tensor(kPrefix + "meta_pos_embed", {1, channels, extent, side}, {.scale = 1});
    const ValueId map = net_.parameter_map(kPrefix + "proposal_pos_embeds", meta_embeddings_, middle_);

    const bool alone = config_.auxiliary_queries == 0;
    const auto gathered = [&](const std::string& what, ValueId from, const std::string& value) {
      return net_.add(name + what, graph::GatherPositions{}, {from, query_positions_}, channels, value);  // [B, Q, C]
    };
    const ValueId features = gathered("gather_features", middle_, "query_features");
    const ValueId positions = gathered("gather_positions", map, "");
    const std::string auxiliary[] = {kPrefix + "empty_query_features.weight", kPrefix + "empty_query_pos_embed.weight"};
    if (alone) {
      for (const std::string& tensor : auxiliary)
        net_.weights().expect_absent(tensor, kKeys + "NUM_AUX_QUERIES 0 does not have");
      query_embeddings_ = positions;
      return features;
    }
    const auto followed = [&](const std::string& node, ValueId rows, const std::string& tensor) {
      const ValueId more = net_.parameter(tensor, Dim(config_.auxiliary_queries, kKeys + "NUM_AUX_QUERIES"), channels);
      return net_.add(kPrefix + node, graph::ConcatRows{}, {rows, more}, channels);  // [B, Q + A, C]
    };
    const ValueId all = followed("queries", features, auxiliary[0]);
    query_embeddings_ = followed("query_pos_embeds", positions, auxiliary[1]);
    return all;
  }

  State layer(const State& before, ValueId masks, int i) {
    const auto name = [i](const char* list) { return kPrefix + list + "." + std::to_string(i); };
    const TransformerOptions options{config_.heads, config_.feed_forward_width, config_.pre_norm};
    const Positioned queries{before.queries, query_embeddings_, false};
    ValueId pixels = cross_attention(name("transformer_mask_cross_attention_layers"),
                                     {before.pixels, pixel_embeddings_, true}, queries, -1, options, net_);
    pixels = feed_forward(name("transformer_mask_ffn_layers"), pixels, true, options, net_);
    ValueId rows = cross_attention(name("transformer_query_cross_attention_layers"), queries,
                                   {pixels, pixel_embeddings_, true}, masks, options, net_);
    rows = self_attention(name("transformer_query_self_attention_layers"), {rows, query_embeddings_, false}, options,
                          net_);
    return {feed_forward(name("transformer_query_ffn_layers"), rows, false, options, net_), pixels};
  }

  // The queries that are predicted, normed: [B, Q, C].
  ValueId normed(const State& now, int head) {
    const std::string name = kPrefix + "decoder_query_norm_layers." + std::to_string(head);
    ValueId rows = now.queries;
    if (config_.auxiliary_queries != 0)
      rows = net_.add(name + ".rows", graph::SliceRows{0, config_.queries}, {rows}, net_.channels(rows));
    return net_.layer_norm(name, rows, kLayerNormEpsilon);
  }

  ValueId predict_masks(const State& now, int head) {
    const std::string index = std::to_string(head);
    const bool last = head == config_.layers;
    normed_ = normed(now, head);
    const ValueId kernels = perceptron(kPrefix + "mask_embed_layers." + index, normed_, width(config_.mask_width), {},
                                       kMaskFills, net_);  // [B, Q, M]
    const ValueId features =
        net_.map_linear(kPrefix + "mask_features_layers." + index, now.pixels, net_.channels(kernels));  // [B, h, w, M]
    if (!last) check_unread_classes(kPrefix + "class_embed_layers." + index);
    return net_.add(kPrefix + "masks." + index, graph::MaskProduct{}, {kernels, features}, config_.queries,
                    last ? "mask_logits" : "mask_logits_" + index);  // [B, h, w, Q]
  }

  // Of the last head, which alone tells classes; the others' are trained and not read.
  ValueId predict_classes() {
    return perceptron(kPrefix + "class_embed_layers." + std::to_string(config_.layers), normed_,
                      Dim(config_.classes + 1, kClasses + " and one of none"), "class_logits", kClassFills,
                      net_);  // [B, Q, K + 1]
  }

  void check_unread_classes(const std::string& name) {
    const std::int64_t channels = net_.channels(normed_);
    for (int i = 0; i < 3; ++i) {
      const Dim out = i == 2 ? Dim(config_.classes + 1, kClasses + " and one of none") : Dim(channels);
      const std::string layer = name + ".layers." + std::to_string(i);
      net_.weights().expect(layer + ".weight", {out, channels});
      net_.weights().expect(layer + ".bias", {out});
    }
  }

  const QueryDecoderConfig& config_;
  ValueId middle_, finest_;
  Layers& net_;
  graph::ConstantPtr meta_embeddings_;
  ValueId query_positions_ = -1, query_embeddings_ = -1, pixel_embeddings_ = -1, normed_ = -1;
};

}  // namespace

FastInstOutputs build_query_decoder(const QueryDecoderConfig& config, const std::array<ValueId, 3>& levels,
                                    Layers& net) {
  return QueryDecoder(config, levels, net).build();
}

}  // namespace maskrt::weights

// The captures under way in the process, and what all calls on captured streams share.
#pragma once

#include <memory>
#include <string>

#include "driver/engine/states.h"

namespace vgpu::engine {

/// Registers a capture for guard_unsafe_call.
void announce(const std::shared_ptr<Capture>& capture);
/// The sequence yields no graph any more; every call but end_capture fails. Nothing where it has ended.
void invalidate(Capture& capture);

/// A stream whose work goes into a graph. Throws Status(capture_invalidated).
bool is_captured(const StreamState& stream);
/// Throws Status(capture_unsupported), and invalidates the capture, where the stream is captured.
void refuse_captured(const StreamState& stream, const char* what);
/// The legacy stream may not be used while blocking streams are captured: Status(capture_implicit); they are
/// invalidated where `invalidates`. Nothing for other streams.
void refuse_implicit(const StreamState& stream, bool invalidates);

/// Ends the capture for every stream in it.
void leave_capture(Capture& capture);

/// The frontier as arguments for Graph.
std::vector<Node*> nodes_of(const std::vector<Node::Link>& links);
std::vector<EdgeData> data_of(const std::vector<Node::Link>& links);
/// Adds what is missing.
void merge_links(std::vector<Node::Link>& into, const std::vector<Node::Link>& from);

}  // namespace vgpu::engine

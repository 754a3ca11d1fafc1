// One result as JSON, in either direction: what results files and lines of images have in common.
#pragma once

#include <string>

#include "json_records.h"
#include "results.h"

namespace maskrt::coco {

/// A JSON string. Names come from file systems and other people's files, so their bytes may be anything: those that are
/// no UTF-8 become U+FFFD.
void append_string(std::string& out, const std::string& text);

/// A JSON number or string.
void append_id(std::string& out, const Id& id);

/// The shortest text that reads back as the same number; as the same float where the number is one. Finite.
void append_number(std::string& out, double value);

/// Score and box, where it has one: JSON has no other numbers.
bool is_finite(const CocoResult& result);

void append_result(std::string& out, const CocoResult& result);

/// `with_mask`: else its segmentation is passed over. Throws Error that says where the record stands.
CocoResult read_result(const Record& record, bool with_mask = true);

}  // namespace maskrt::coco

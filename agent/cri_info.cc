// SPDX-License-Identifier: Apache-2.0
#include "agent/cri_info.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace sabot::agent {
namespace {

using nlohmann::json;

// Takes two members of the outermost object; everything else is passed over. Only this interface of the
// parser is safe: the tree that parse() builds is destroyed recursively, and a runtime's JSON may nest as
// deep as it likes.
class Listener : public nlohmann::json_sax<json> {
 public:
  CriInfo info;

  bool start_object(size_t) override { return ++depth_ > 0; }
  bool end_object() override { return depth_-- > 0; }
  bool start_array(size_t) override { return ++depth_ > 0; }
  bool end_array() override { return depth_-- > 0; }
  bool key(string_t& name) override {
    if (depth_ == 1) key_ = name;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    if (IsMember("pid")) info.pid = value;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    constexpr auto kLargest = static_cast<number_unsigned_t>(std::numeric_limits<int64_t>::max());
    if (IsMember("pid")) info.pid = static_cast<int64_t>(value < kLargest ? value : kLargest);
    return true;
  }
  bool string(string_t& value) override {
    if (IsMember("sandboxID")) info.sandbox_id = value;
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(size_t, const std::string&, const json::exception&) override { return false; }

 private:
  // In an outermost array no key was seen.
  bool IsMember(const char* name) const { return depth_ == 1 && key_ == name; }

  int64_t depth_ = 0;
  std::string key_;
};

}  // namespace

CriInfo ParseCriInfo(std::string_view text) {
  Listener listener;
  if (!json::sax_parse(text.begin(), text.end(), &listener)) return {};
  return listener.info;
}

}  // namespace sabot::agent

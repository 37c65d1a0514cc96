// FieldSet: a set of places in an object, as metadata.managedFields tells who set what. In JSON (FieldsV1) it is a tree whose
// keys are the steps: "f:NAME" a field, "k:{...}" the list element with these keys, "v:VALUE" the element of a set, "i:N" an
// index; {} is a member without members below, "." says that a place with members below is one itself.
// Source of the format: Kubernetes' documentation of FieldsV1. Threads: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/schema.h"
#include "engine/base/result.h"

namespace ph::api {

class FieldSet {
 public:
  struct Node;
  FieldSet() = default;

  bool empty() const { return nodes_.empty(); }
  size_t size() const;  // members, on all levels
  const std::vector<Node>& nodes() const { return nodes_; }
  const Node* find(std::string_view step) const;
  bool has(const std::vector<std::string_view>& path) const;
  bool operator==(const FieldSet& other) const;

  // The node of a step, made when it is not there. A node without members must not be left behind.
  Node& at(std::string_view step);
  void insert(const std::vector<std::string_view>& path);
  // For builders that meet each step once: in any order, then sort() on this level.
  void reserve(size_t steps);
  void append(std::string step, bool member, FieldSet below);
  void sort();

  void unite(const FieldSet& other);
  void subtract(const FieldSet& other);       // exactly these members
  void subtractTrees(const FieldSet& other);  // these members and all that is below them
  void intersect(const FieldSet& other);

  Json toJson() const;
  // `canonical`: written by toJson() before, so the steps need no second look. 400 for what is no FieldsV1.
  static Result<FieldSet> fromJson(const Json& json, bool canonical);

  // Every member as Kubernetes writes a path: ".spec.containers[name=\"web\"].image".
  std::vector<std::string> paths() const;

 private:
  Json toJson(bool member) const;  // what is below a place, with "." when it is a member too
  void prune();
  std::vector<Node> nodes_;  // sorted by step
};

struct FieldSet::Node {
  std::string step;
  bool member = false;
  FieldSet below;
};

// Steps as FieldsV1 writes them.
std::string fieldStep(std::string_view name);
std::string valueStep(const Json& value);
// A step as a path's part: ".name", "[name=\"web\"]", "[=\"x\"]", "[0]".
std::string stepText(std::string_view step);

}  // namespace ph::api

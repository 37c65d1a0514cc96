// CowMap: a sorted map with cheap snapshots: copying shares all nodes; a change copies only the path to what
// changed, and not even that while no copy shares it. Iteration is in key order. A B+ tree with
// reference-counted nodes: a node is changed in place when the map is its only owner all the way from the
// root, and cloned otherwise. Lookups take anything that compares with K (std::string_view for std::string).
// Costs: copy O(1); find, assign, erase O(log n); a change under a snapshot clones one node a level (at most
// 32 entries each). Threads: a value; copies may be read from any thread while the original changes.
// Iterators and pointers into a map are valid until that very map (not a copy of it) is changed or destroyed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/check.h"

namespace ph {

template <class K, class V>
class CowMap {
  struct Node;

 public:
  using Entry = std::pair<K, V>;

  // Forward iterator over const entries, in key order.
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = const Entry&;

    Iterator() = default;
    reference operator*() const { return leaf_->entries[at_]; }
    pointer operator->() const { return &leaf_->entries[at_]; }
    Iterator& operator++() {
      if (++at_ == leaf_->entries.size()) nextLeaf();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& o) const { return leaf_ == o.leaf_ && at_ == o.at_; }

   private:
    friend class CowMap;
    void descendFirst(const Node* node) {
      while (!node->leaf()) {
        path_[depth_++] = {node, 0};
        node = node->kids[0].get();
      }
      leaf_ = node;
      at_ = 0;
    }
    void nextLeaf() {
      while (depth_ > 0) {
        auto& [node, index] = path_[depth_ - 1];
        if (++index < node->kids.size()) {
          descendFirst(node->kids[index].get());
          return;
        }
        --depth_;
      }
      leaf_ = nullptr;
      at_ = 0;
    }

    static constexpr int kMaxDepth = 20;
    std::array<std::pair<const Node*, uint32_t>, kMaxDepth> path_;
    int depth_ = 0;
    const Node* leaf_ = nullptr;
    uint32_t at_ = 0;
  };

  // Entries from `first` on whose keys start with a prefix; ends by itself. For `for (auto& [key, value] :
  // map.prefix("ns/"))`. Its cursors must not outlive it.
  class PrefixRange {
   public:
    struct End {};
    class Cursor {
     public:
      Cursor(Iterator at, Iterator end, std::string_view prefix) : at_(at), end_(end), prefix_(prefix) {}
      const Entry& operator*() const { return *at_; }
      const Entry* operator->() const { return &*at_; }
      Cursor& operator++() {
        ++at_;
        return *this;
      }
      bool operator==(const End&) const {
        return at_ == end_ || !std::string_view(at_->first).starts_with(prefix_);
      }

     private:
      Iterator at_, end_;
      std::string_view prefix_;
    };
    PrefixRange(Iterator at, Iterator end, std::string prefix) : at_(at), end_(end), prefix_(std::move(prefix)) {}
    Cursor begin() const { return {at_, end_, prefix_}; }
    End end() const { return {}; }
    bool empty() const { return begin() == End{}; }

   private:
    Iterator at_, end_;
    std::string prefix_;  // its own: a `for` keeps the range alive, not what its prefix was made from
  };

  CowMap() = default;
  CowMap(const CowMap&) = default;
  CowMap& operator=(const CowMap&) = default;
  CowMap(CowMap&& o) noexcept : root_(std::move(o.root_)), size_(std::exchange(o.size_, 0)) {}
  CowMap& operator=(CowMap&& o) noexcept {
    root_ = std::move(o.root_);
    size_ = std::exchange(o.size_, 0);
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear() {
    root_ = {};
    size_ = 0;
  }

  // The value of `key`, or nullptr.
  template <class Q>
  const V* find(const Q& key) const {
    const Node* node = root_.get();
    if (!node) return nullptr;
    while (!node->leaf()) node = node->kids[node->childFor(key)].get();
    size_t i = node->lower(key);
    return i < node->entries.size() && !(key < node->entries[i].first) ? &node->entries[i].second : nullptr;
  }
  template <class Q>
  bool contains(const Q& key) const {
    return find(key) != nullptr;
  }
  // A copy of the value, or V{}.
  template <class Q>
  V get(const Q& key) const {
    const V* v = find(key);
    return v ? *v : V{};
  }
  // The value for changing in place (its path is unshared first), or nullptr.
  template <class Q>
  V* edit(const Q& key) {
    if (!contains(key)) return nullptr;
    Node* node = root_.own();
    while (!node->leaf()) node = node->kids[node->childFor(key)].own();
    return &node->entries[node->lower(key)].second;
  }

  // Sets `key`; returns what was there before.
  std::optional<V> assign(K key, V value) { return put(std::move(key), std::move(value), true); }
  // Sets `key` only when absent; true when it was.
  bool insert(K key, V value) { return !put(std::move(key), std::move(value), false); }
  // Removes `key`; returns what was there.
  template <class Q>
  std::optional<V> erase(const Q& key) {
    if (!contains(key)) return std::nullopt;  // never clones for nothing
    std::optional<V> old = eraseFrom(root_.own(), key);
    --size_;
    if (size_ == 0)
      root_ = {};
    else if (!root_.get()->leaf() && root_.get()->kids.size() == 1)
      root_ = Ref(root_.get()->kids[0]);
    return old;
  }

  Iterator begin() const {
    Iterator it;
    if (root_.get()) it.descendFirst(root_.get());
    return it;
  }
  Iterator end() const { return {}; }
  // The first entry whose key is not less than `key`.
  template <class Q>
  Iterator lowerBound(const Q& key) const {
    Iterator it;
    const Node* node = root_.get();
    if (!node) return it;
    while (!node->leaf()) {
      uint32_t i = uint32_t(node->childFor(key));
      it.path_[it.depth_++] = {node, i};
      node = node->kids[i].get();
    }
    it.leaf_ = node;
    it.at_ = uint32_t(node->lower(key));
    if (it.at_ == node->entries.size()) it.nextLeaf();
    return it;
  }
  // The first entry whose key is greater than `key` (where a paginated list goes on).
  template <class Q>
  Iterator upperBound(const Q& key) const {
    Iterator it = lowerBound(key);
    if (it != end() && !(key < it->first)) ++it;
    return it;
  }
  PrefixRange prefix(std::string_view prefix) const { return {lowerBound(prefix), end(), std::string(prefix)}; }

  template <class F>
  void forEach(F&& each) const {
    for (auto& [key, value] : *this) each(key, value);
  }

  // True when both are the very same version (cheap; false does not mean that the contents differ).
  bool sameAs(const CowMap& o) const { return root_.get() == o.root_.get(); }

 private:
  static constexpr size_t kMax = 32;
  static constexpr size_t kMin = kMax / 4;

  // An owning reference to a node.
  class Ref {
   public:
    Ref() = default;
    explicit Ref(Node* fresh) : node_(fresh) {}  // takes over the one reference of a new node
    Ref(const Ref& o) : node_(o.node_) {
      if (node_) node_->refs.fetch_add(1, std::memory_order_relaxed);
    }
    Ref(Ref&& o) noexcept : node_(std::exchange(o.node_, nullptr)) {}
    Ref& operator=(Ref o) noexcept {
      std::swap(node_, o.node_);
      return *this;
    }
    ~Ref() {
      if (node_ && node_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete node_;
    }
    const Node* get() const { return node_; }
    // The node for changing: cloned first when someone else holds it too. The caller must own all nodes
    // above.
    Node* own() {
      if (node_->refs.load(std::memory_order_acquire) != 1) *this = Ref(new Node(*node_));
      return node_;
    }

   private:
    Node* node_ = nullptr;
  };

  // A leaf has entries; an inner node has kids, with seps[i] <= every key of kids[i + 1] and > every key of
  // kids[i].
  struct Node {
    std::atomic<uint32_t> refs{1};
    std::vector<Entry> entries;
    std::vector<K> seps;
    std::vector<Ref> kids;

    Node() = default;
    Node(const Node& o) {
      entries.reserve(o.entries.empty() ? 0 : kMax + 1);
      entries.insert(entries.end(), o.entries.begin(), o.entries.end());
      seps = o.seps;
      kids = o.kids;
    }
    bool leaf() const { return kids.empty(); }
    size_t count() const { return leaf() ? entries.size() : kids.size(); }
    template <class Q>
    size_t lower(const Q& key) const {
      size_t low = 0, high = entries.size();
      while (low < high) {
        size_t mid = (low + high) / 2;
        if (entries[mid].first < key)
          low = mid + 1;
        else
          high = mid;
      }
      return low;
    }
    template <class Q>
    size_t childFor(const Q& key) const {
      size_t low = 0, high = seps.size();
      while (low < high) {
        size_t mid = (low + high) / 2;
        if (key < seps[mid])
          high = mid;
        else
          low = mid + 1;
      }
      return low;
    }
  };

  struct Split {
    K separator;
    Ref right;
  };

  std::optional<V> put(K key, V value, bool overwrite) {
    if (!root_.get()) root_ = Ref(new Node);
    if (!overwrite)
      if (const V* there = find(key)) return *there;
    std::optional<V> old;
    std::optional<Split> split = putInto(root_.own(), std::move(key), std::move(value), old);
    if (!old) ++size_;
    if (split) {
      Ref fresh(new Node);
      Node* node = fresh.own();
      node->kids.push_back(std::move(root_));
      node->kids.push_back(std::move(split->right));
      node->seps.push_back(std::move(split->separator));
      root_ = std::move(fresh);
    }
    return old;
  }

  std::optional<Split> putInto(Node* node, K key, V value, std::optional<V>& old) {
    if (node->leaf()) {
      size_t i = node->lower(key);
      if (i < node->entries.size() && !(key < node->entries[i].first)) {
        old = std::exchange(node->entries[i].second, std::move(value));
        return std::nullopt;
      }
      bool appended = i == node->entries.size();
      node->entries.insert(node->entries.begin() + std::ptrdiff_t(i),
                           Entry(std::move(key), std::move(value)));
      if (node->entries.size() <= kMax) return std::nullopt;
      return splitLeaf(node, appended);
    }
    size_t i = node->childFor(key);
    std::optional<Split> below = putInto(node->kids[i].own(), std::move(key), std::move(value), old);
    if (!below) return std::nullopt;
    bool appended = i + 1 == node->kids.size();
    node->seps.insert(node->seps.begin() + std::ptrdiff_t(i), std::move(below->separator));
    node->kids.insert(node->kids.begin() + std::ptrdiff_t(i) + 1, std::move(below->right));
    if (node->kids.size() <= kMax) return std::nullopt;
    return splitInner(node, appended);
  }

  // Where keys come in order (loading), the left node stays full: only the newcomer moves.
  static std::optional<Split> splitLeaf(Node* node, bool appended) {
    size_t keep = appended ? kMax : (kMax + 1) / 2;
    Ref right(new Node);
    auto& into = right.own()->entries;
    into.reserve(kMax + 1);
    into.assign(std::make_move_iterator(node->entries.begin() + std::ptrdiff_t(keep)),
                std::make_move_iterator(node->entries.end()));
    node->entries.erase(node->entries.begin() + std::ptrdiff_t(keep), node->entries.end());
    K separator = into.front().first;
    return Split{std::move(separator), std::move(right)};
  }

  static std::optional<Split> splitInner(Node* node, bool appended) {
    size_t keep = appended ? kMax - 1 : (kMax + 1) / 2;  // kids that stay; the newcomer needs a sibling
    Ref right(new Node);
    Node* r = right.own();
    auto keepAt = std::ptrdiff_t(keep);
    r->kids.assign(std::make_move_iterator(node->kids.begin() + keepAt),
                   std::make_move_iterator(node->kids.end()));
    r->seps.assign(std::make_move_iterator(node->seps.begin() + keepAt),
                   std::make_move_iterator(node->seps.end()));
    K separator = std::move(node->seps[keep - 1]);
    node->kids.resize(keep);
    node->seps.erase(node->seps.begin() + keepAt - 1, node->seps.end());
    return Split{std::move(separator), std::move(right)};
  }

  template <class Q>
  static std::optional<V> eraseFrom(Node* node, const Q& key) {
    if (node->leaf()) {
      size_t i = node->lower(key);
      std::optional<V> old(std::move(node->entries[i].second));
      node->entries.erase(node->entries.begin() + std::ptrdiff_t(i));
      return old;
    }
    size_t i = node->childFor(key);
    std::optional<V> old = eraseFrom(node->kids[i].own(), key);
    if (node->kids[i].get()->count() < kMin) rebalance(node, i);
    return old;
  }

  // Kid `i` of `node` has become small: it joins a neighbour, or takes half of what the neighbour has too
  // many.
  static void rebalance(Node* node, size_t i) {
    if (node->kids.size() == 1) {  // only under a root that is about to go; an empty kid can't be there
      PH_CHECK(node->kids[0].get()->count() > 0);
      return;
    }
    size_t l = i > 0 ? i - 1 : 0;
    Node* left = node->kids[l].own();
    Node* right = node->kids[l + 1].own();
    K separator = std::move(node->seps[l]);
    if (left->leaf()) {
      moveAll(left->entries, right->entries);
    } else {
      left->seps.push_back(std::move(separator));
      moveAll(left->seps, right->seps);
      moveAll(left->kids, right->kids);
    }
    if (left->count() <= kMax) {
      node->kids.erase(node->kids.begin() + std::ptrdiff_t(l) + 1);
      node->seps.erase(node->seps.begin() + std::ptrdiff_t(l));
      return;
    }
    size_t keep = left->count() / 2;
    auto at = std::ptrdiff_t(keep);
    if (left->leaf()) {
      right->entries.assign(std::make_move_iterator(left->entries.begin() + at),
                            std::make_move_iterator(left->entries.end()));
      left->entries.erase(left->entries.begin() + at, left->entries.end());
      node->seps[l] = right->entries.front().first;
    } else {
      right->kids.assign(std::make_move_iterator(left->kids.begin() + at),
                         std::make_move_iterator(left->kids.end()));
      right->seps.assign(std::make_move_iterator(left->seps.begin() + at),
                         std::make_move_iterator(left->seps.end()));
      node->seps[l] = std::move(left->seps[keep - 1]);
      left->kids.resize(keep);
      left->seps.erase(left->seps.begin() + at - 1, left->seps.end());
    }
  }

  template <class T>
  static void moveAll(std::vector<T>& into, std::vector<T>& from) {
    into.insert(into.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    from.clear();
  }

  Ref root_;
  size_t size_ = 0;
};

}  // namespace ph

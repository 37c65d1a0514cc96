// Answers in protobuf, byte by byte as Kubernetes' field numbers have them, and lists in every form.
#include <QTest>
#include <set>

#include "engine/api/codec.h"
#include "engine/api/protobuf.h"
#include "engine/cache/cache.h"
#include "engine/server/event_encoder.h"
#include "engine/server/json_util.h"
#include "engine/server/list_renderer.h"
#include "engine/server/protobuf_answer.h"
#include "engine/server/protobuf_body.h"
#include "engine/server/status_json.h"
#include "engine/server/text_form.h"

using namespace ph;
using namespace ph::server;

namespace {

const api::Registry& registry() {
  static auto one = api::Registry::builtin();
  return *one;
}
const ResourceInfo& maps() { return *registry().find("", "v1", "configmaps"); }

// field(1, "x"): tag, length, bytes. Lengths below 128 only: the expectations are written by hand.
std::string field(int number, const std::string& bytes) {
  return std::string(1, char(number << 3 | 2)) + std::string(1, char(bytes.size())) + bytes;
}
std::string number(int field, int value) { return std::string(1, char(field << 3)) + std::string(1, char(value)); }

api::ObjectPtr map(const std::string& name, int64_t revision) {
  auto made = api::Object::parse(&maps(), R"({"metadata":{"name":")" + name + R"(","namespace":"a"},"data":{"k":"v"}})", revision);
  if (!made.ok()) qFatal("%s", made.status().message.c_str());
  return *made;
}
// ObjectMeta: name 1, namespace 3, resourceVersion 6. ConfigMap: metadata 1, data 2 {key 1, value 2}.
std::string metaBytes(const std::string& name, const std::string& revision) {
  return field(1, name) + field(3, "a") + field(6, revision);
}
std::string unknown(const std::string& apiVersion, const std::string& kind, const std::string& raw) {
  return std::string("k8s\0", 4) + field(1, field(1, apiVersion) + field(2, kind)) + field(2, raw) + field(3, "") + field(4, "");
}
// Fields of a message in any order.
std::multiset<std::string> fields(std::string_view raw) {
  std::multiset<std::string> out;
  while (!raw.empty()) {
    size_t size = (raw[0] & 7) == 2 ? 2 + size_t(raw[1]) : 2;
    while ((raw[0] & 7) == 0 && (raw[size - 1] & 0x80)) ++size;  // a longer varint
    out.insert(std::string(raw.substr(0, size)));
    raw.remove_prefix(size);
  }
  return out;
}
Json parsed(std::string_view text) {
  auto tree = api::parseJson(text);
  if (!tree.ok()) qFatal("%s", tree.status().message.c_str());
  return *tree;
}
Core& core() {
  static Core* one = [] {
    auto* c = new Core;
    c->executor = SimExecutor::make(1);
    return c;
  }();
  return *one;
}
std::string all(const Listing& listing, const Media& media) {
  std::string out;
  for (auto& chunk : renderList(core(), maps(), listing, media)) out += *chunk;
  return out;
}
Listing listing(size_t items) {
  Listing out;
  for (size_t i = 0; i < items; ++i) out.items.push_back(map("m" + std::to_string(i), int64_t(i + 1)));
  out.revision = 77;
  return out;
}

}  // namespace

class ProtobufAnswerTest : public QObject {
  Q_OBJECT
 private slots:
  void anObject() {
    auto bytes = protobufObject(*map("m", 7), {.protobuf = true});
    auto body = api::parseProtobufBody(bytes);
    QVERIFY(body.ok());
    QCOMPARE(body->apiVersion, std::string("v1"));
    QCOMPARE(body->kind, std::string("ConfigMap"));
    QCOMPARE(bytes, unknown("v1", "ConfigMap", std::string(body->raw)));
    // The order of fields is free: compare the pieces.
    auto parts = fields(body->raw);
    QCOMPARE(parts.size(), size_t(2));
    QVERIFY(parts.contains(field(2, field(1, "k") + field(2, "v"))));
    QVERIFY(fields(std::string_view(*parts.begin()).substr(2)) == fields(metaBytes("m", "7")));
  }

  void metadataOnly() {
    auto bytes = protobufObject(*map("m", 7), {.shape = Shape::Partial, .protobuf = true});
    auto body = api::parseProtobufBody(bytes);
    QCOMPARE(body->apiVersion, std::string("meta.k8s.io/v1"));
    QCOMPARE(body->kind, std::string("PartialObjectMetadata"));
    auto parts = fields(body->raw);
    QCOMPARE(parts.size(), size_t(1));
    auto meta = parts.begin()->substr(2);
    QVERIFY(fields(meta) == fields(metaBytes("m", "7")));
  }

  void aStatus() {
    Status status = Status::notFound("no");
    status.name = "x";
    status.kind = "pods";
    status.causes.push_back({"R", "M", "f"});
    status.retryAfterSeconds = 1;
    auto bytes = protobufOf(statusTree(status));
    QVERIFY(bytes);
    auto body = api::parseProtobufBody(*bytes);
    QCOMPARE(body->kind, std::string("Status"));
    auto parts = fields(body->raw);
    QVERIFY(parts.contains(field(2, "Failure")));
    QVERIFY(parts.contains(field(3, "no")));
    QVERIFY(parts.contains(field(4, "NotFound")));
    std::string details = field(1, "x") + field(3, "pods") + field(4, field(1, "R") + field(2, "M") + field(3, "f")) + number(5, 1);
    QVERIFY(parts.contains(field(5, details)));
    QVERIFY(body->raw.find(std::string("\x30\x94\x03", 3)) != std::string_view::npos);  // code 6: 404
  }

  void aListOfItems() {
    auto small = all(listing(2), {.protobuf = true});
    auto body = api::parseProtobufBody(small);
    QVERIFY(body.ok());
    QCOMPARE(body->kind, std::string("ConfigMapList"));
    std::string head = field(1, field(1, "") + field(2, "77") + field(3, ""));
    QVERIFY(body->raw.starts_with(head));
    auto parts = fields(body->raw.substr(head.size()));
    QCOMPARE(parts.size(), size_t(2));
    for (auto& part : parts) QCOMPARE(part[0], char(2 << 3 | 2));
  }
  // The length that was promised is the length that comes, also when items are encoded twice.
  void aLongListKeepsItsLength() {
    for (size_t n : {0u, 1u, 300u, 40000u}) {
      auto bytes = all(listing(n), {.protobuf = true});
      auto body = api::parseProtobufBody(bytes);
      QVERIFY2(body.ok(), body.ok() ? "" : body.status().message.c_str());
      size_t items = 0;
      std::string_view raw = body->raw;
      raw.remove_prefix(2 + size_t(raw[1]));
      for (; !raw.empty(); ++items) {
        QCOMPARE(raw[0], char(2 << 3 | 2));
        QVERIFY(uint8_t(raw[1]) < 128);
        auto item = api::fromProtobuf(raw.substr(2, size_t(raw[1])), *maps().type);
        QVERIFY(item.ok());
        QCOMPARE(std::string(textAt(objectAt(*item, "metadata"), "name")), "m" + std::to_string(items));
        raw.remove_prefix(2 + size_t(raw[1]));
      }
      QCOMPARE(items, n);
    }
  }

  void aWatchFrame() {
    std::string out;
    appendEvent(out, Seen::Added, *map("m", 7), {.protobuf = true}, {});
    QVERIFY(out.size() > 4);
    size_t size = 0;
    for (int i = 0; i < 4; ++i) size = size << 8 | uint8_t(out[size_t(i)]);
    QCOMPARE(size, out.size() - 4);
    auto object = protobufObject(*map("m", 7), {.protobuf = true});
    QCOMPARE(out.substr(4), field(1, "ADDED") + field(2, field(1, object)));
  }
  void bookmarksAndErrorsAreFrames() {
    for (auto& frame : {bookmarkLine(maps(), 9, {.protobuf = true}, true), errorLine(Status::expired("old"), {.protobuf = true}),
                        bookmarkLine(maps(), 9, {.shape = Shape::Partial, .protobuf = true}, false)}) {
      size_t size = 0;
      for (int i = 0; i < 4; ++i) size = size << 8 | uint8_t(frame[size_t(i)]);
      QCOMPARE(size, frame.size() - 4);
      QVERIFY(frame.find(std::string("k8s\0", 4)) != std::string::npos);
    }
    auto end = bookmarkLine(maps(), 9, {.protobuf = true}, true);
    QVERIFY(end.find("BOOKMARK") != std::string::npos && end.find("k8s.io/initial-events-end") != std::string::npos);
  }

  void listsAreTheSameInEveryForm() {
    for (size_t n : {0u, 1u, 3u}) {
      for (auto shape : {Shape::Object, Shape::Table, Shape::Partial}) {
        auto plain = parsed(all(listing(n), {.shape = shape}));
        auto yaml = api::parseYaml(all(listing(n), {.shape = shape, .yaml = true}));
        QVERIFY2(yaml.ok(), yaml.ok() ? "" : yaml.status().message.c_str());
        QCOMPARE(api::toText(*yaml), api::toText(plain));
        QCOMPARE(all(listing(n), {.shape = shape, .pretty = true}), prettyJson(api::toText(plain)));
      }
    }
  }

  void whatHasNoProtobuf() {
    QVERIFY(hasProtobuf(maps()));
    ResourceInfo custom = maps();
    custom.builtin = false;
    QVERIFY(!hasProtobuf(custom));
    QVERIFY(!protobufOf(parsed(R"({"apiVersion":"example.com/v1","kind":"Thing"})")));
    QVERIFY(!protobufOf(parsed(R"({"apiVersion":"meta.k8s.io/v1","kind":"Table","rows":[]})")));
    QVERIFY(!protobufOf(parsed("[]")));
  }
};

QTEST_GUILESS_MAIN(ProtobufAnswerTest)
#include "protobuf_answer_test.moc"

// Texts in: JSON and YAML, good and hostile.
#include <sys/resource.h>

#include <QtTest>
#include <cstdio>

#include "engine/api/codec.h"

using namespace ph;
using namespace ph::api;

// moc's view of raw strings is limited: strings with escapes are written out below.
class TextTest : public QObject {
  Q_OBJECT
 private slots:
  void jsonRoundTrip_data() {
    QTest::addColumn<QByteArray>("in");
    QTest::addColumn<QByteArray>("out");
    QTest::newRow("empty object") << QByteArray("{ }") << QByteArray("{}");
    QTest::newRow("order stays") << QByteArray(R"({"b":1,"a":[1,2,{"c":null}]})") << QByteArray(R"({"b":1,"a":[1,2,{"c":null}]})");
    QTest::newRow("escapes") << QByteArray("[\"\\u0041\\n\\\"\\\\\\u0001\"]") << QByteArray("[\"A\\n\\\"\\\\\\u0001\"]");
    QTest::newRow("utf8") << QByteArray("[\"h\xc3\xa4" "fen \xf0\x9f\x9a\xa2\"]") << QByteArray("[\"h\xc3\xa4" "fen \xf0\x9f\x9a\xa2\"]");
    QTest::newRow("numbers") << QByteArray("[0,-1,9223372036854775807,18446744073709551615,1.5,-0.25]")
                             << QByteArray("[0,-1,9223372036854775807,18446744073709551615,1.5,-0.25]");
    QTest::newRow("scalar") << QByteArray("true") << QByteArray("true");
  }
  void jsonRoundTrip() {
    QFETCH(QByteArray, in);
    QFETCH(QByteArray, out);
    auto v = parseJson(in.toStdString());
    QVERIFY(v.ok());
    QCOMPARE(QByteArray::fromStdString(toText(*v)), out);
  }

  void jsonRefused_data() {
    QTest::addColumn<QByteArray>("in");
    QTest::addColumn<QByteArray>("says");
    QTest::newRow("empty") << QByteArray("") << QByteArray("line 1, column 1");
    QTest::newRow("cut off") << QByteArray("{\"a\":") << QByteArray("incomplete");
    QTest::newRow("place") << QByteArray("{\"a\": 1,\n  \"b\": oops}") << QByteArray("line 2, column 8");
    QTest::newRow("deep") << QByteArray(5000, '[') << QByteArray("nested too deeply");
    QTest::newRow("deep objects") << QByteArray("{\"a\":").repeated(200) << QByteArray("nested too deeply");
    QTest::newRow("huge exponent") << QByteArray("[1e999]") << QByteArray("malformed");
    QTest::newRow("bad utf8") << QByteArray("[\"\xc3\x28\"]") << QByteArray("malformed");
    QTest::newRow("overlong utf8") << QByteArray("[\"\xc0\xaf\"]") << QByteArray("malformed");
    QTest::newRow("lone surrogate") << QByteArray("[\"\\ud800\"]") << QByteArray("malformed");
    QTest::newRow("two values") << QByteArray("{} {}") << QByteArray("extra");
    QTest::newRow("comment") << QByteArray("{} // no") << QByteArray("malformed");
    QTest::newRow("trailing comma") << QByteArray("[1,]") << QByteArray("malformed");
    QTest::newRow("NaN") << QByteArray("[NaN]") << QByteArray("malformed");
  }
  void jsonRefused() {
    QFETCH(QByteArray, in);
    QFETCH(QByteArray, says);
    auto v = parseJson(in.toStdString());
    QVERIFY(!v.ok());
    QCOMPARE(v.status().code, 400);
    QVERIFY2(v.status().message.find(says.toStdString()) != std::string::npos, v.status().message.c_str());
  }

  void hundredLevelsAreFine() {
    QVERIFY(parseJson(std::string(99, '[') + std::string(99, ']')).ok());
  }

  void duplicateKeys() {
    std::vector<std::string> duplicates;
    auto v = parseJson(R"({"a":1,"spec":{"x":[{"b":1,"b":2},{"b":3}],"x2":1},"a":2})", &duplicates);
    QVERIFY(v.ok());
    QCOMPARE(duplicates, (std::vector<std::string>{"spec.x[0].b", "a"}));
    QCOMPARE(toText(*at(*v, "a")), std::string("2"));
    duplicates.clear();
    QVERIFY(parseJson(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})", &duplicates).ok());
    QVERIFY(duplicates.empty());
  }

  void yaml_data() {
    QTest::addColumn<QByteArray>("in");
    QTest::addColumn<QByteArray>("out");
    QTest::newRow("words") << QByteArray("{a: yes, b: \"yes\", c: null, d: ~, e: True, f: off}")
                           << QByteArray(R"({"a":true,"b":"yes","c":null,"d":null,"e":true,"f":false})");
    QTest::newRow("numbers") << QByteArray("[0644, 0x10, 1_000, -5, 1.5, 1e3, 1.2.3, 10.0.0.1, 12:30, '7']")
                             << QByteArray(R"([420,16,1000,-5,1.5,1000,"1.2.3","10.0.0.1","12:30","7"])");
    QTest::newRow("quantities stay text") << QByteArray("[100m, 1Gi, 1E]") << QByteArray(R"(["100m","1Gi","1E"])");
    QTest::newRow("merge key") << QByteArray("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n")
                               << QByteArray(R"({"base":{"x":1,"y":2},"use":{"x":1,"y":3}})");
    QTest::newRow("merge after, and of two") << QByteArray("base: [&b {x: 1, y: 2}, &c {x: 5, z: 6}]\nuse: {y: 3, <<: [*b, *c]}\n")
                                             << QByteArray(R"({"base":[{"x":1,"y":2},{"x":5,"z":6}],"use":{"y":3,"x":1,"z":6}})");
    QTest::newRow("block text") << QByteArray("a: |\n  one\n  two\n") << QByteArray(R"({"a":"one\ntwo\n"})");
    QTest::newRow("nothing") << QByteArray("# only a comment\n") << QByteArray("null");
    QTest::newRow("separator") << QByteArray("---\na: 1\n---\n") << QByteArray(R"({"a":1})");
  }
  void yaml() {
    QFETCH(QByteArray, in);
    QFETCH(QByteArray, out);
    auto v = parseYaml(in.toStdString());
    QVERIFY2(v.ok(), v.ok() ? "" : v.status().message.c_str());
    QCOMPARE(QByteArray::fromStdString(toText(*v)), out);
  }

  void yamlRefused_data() {
    QTest::addColumn<QByteArray>("in");
    QByteArray bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c < 'l'; ++c) {
      bomb += QByteArray(1, c) + ": &" + c + " [";
      for (int i = 0; i < 9; ++i) bomb += QByteArray(i ? ",*" : "*") + char(c - 1);
      bomb += "]\n";
    }
    QTest::newRow("alias bomb") << bomb;
    QTest::newRow("deep") << QByteArray(3000, '[');
    QTest::newRow("a wide key") << "[" + QByteArray("a,").repeated(300'000);
    QTest::newRow("text bomb") << "a: &a \"" + QByteArray(1 << 20, 'x') + "\"\nb: [*a" + QByteArray(",*a").repeated(20) + "]\n";
    QTest::newRow("no such anchor") << QByteArray("- &a x\n- *b\n");
    QTest::newRow("an anchor inside itself") << QByteArray("&a [*a]\n");
    QTest::newRow("not UTF-8") << QByteArray("a: \xff\xfe\n");
    QTest::newRow("half a rune") << QByteArray("a: \"\xe2\x82\"\n");
    QTest::newRow("a surrogate") << QByteArray("a: \xed\xa0\x80\n");
    QTest::newRow("a NUL") << QByteArray("a: b\0c\n", 8);
    QTest::newRow("deep blocks") << QByteArray("- ").repeated(300) + "x";
    QTest::newRow("two documents") << QByteArray("a: 1\n---\nb: 2\n");
    QTest::newRow("tab") << QByteArray("a:\n\t- b\n");
    QTest::newRow("unclosed") << QByteArray("a: [1, 2");
    QTest::newRow("list as key") << QByteArray("? [a, b]\n: 1\n");
    QTest::newRow("infinity") << QByteArray("a: .inf");
    QTest::newRow("merge of a scalar") << QByteArray("<<: 1");
  }
  void yamlRefused() {
    QFETCH(QByteArray, in);
    auto v = parseYaml(in.toStdString());
    QVERIFY(!v.ok());
    QCOMPARE(v.status().code, 400);
    QVERIFY(v.status().message.starts_with("malformed YAML"));
  }

  void yamlDuplicates() {
    std::vector<std::string> duplicates;
    auto v = parseYaml("a: 1\nspec:\n  x: [{b: 1, b: 2}, {b: 3}]\na: 2\n", &duplicates);
    QVERIFY(v.ok());
    QCOMPARE(duplicates, (std::vector<std::string>{"spec.x[0].b", "a"}));
    QCOMPARE(toText(*at(*v, "a")), std::string("2"));
  }

  // What is refused is refused where it stands: of the rest not even the tokens are made.
  void yamlStopsEarly() {
    auto peak = [] { rusage u; getrusage(RUSAGE_SELF, &u); return u.ru_maxrss; };  // KiB
    const std::string deep(16 << 20, '[');
    const long before = peak();
    QVERIFY(!parseYaml(deep).ok());
    QVERIFY2(peak() - before < 4096, qPrintable(QString::number(peak() - before)));
  }

  // Each byte at each place of a text that is longer than what is looked at in one step.
  void quotedBytes() {
    for (int c = 0; c < 256; ++c) {
      for (size_t at = 0; at < 19; ++at) {
        std::string text(19, 'x'), out, want;
        text[at] = char(c);
        for (char e : text) {
          char code[8];
          std::snprintf(code, sizeof code, "\\u%04x", unsigned(e));
          if (e == '"' || e == '\\') want += std::string("\\") + e;
          else if (e == '\n') want += "\\n";
          else if (e == '\r') want += "\\r";
          else if (e == '\t') want += "\\t";
          else if (static_cast<unsigned char>(e) < 0x20) want += code;
          else want += e;
        }
        appendQuoted(text, out);
        QCOMPARE(out, '"' + want + '"');
      }
    }
  }

  void paths() {
    Json v = *parseJson(R"({"a":{"b":[{"c":5}]},"x.y":1})");
    QCOMPARE(toText(*at(v, "a.b.0.c")), std::string("5"));
    QCOMPARE(toText(*at(v, ".a.b")), std::string(R"([{"c":5}])"));
    for (auto* nowhere : {"z", "a.b.1", "a.b.x", "a.b.0.c.d", "a.b.-1"}) QVERIFY2(!at(v, nowhere), nowhere);
  }
};

QTEST_GUILESS_MAIN(TextTest)
#include "text_test.moc"

// Quantities, int-or-string, selectors, names.
#include <QtTest>

#include "engine/api/codec.h"
#include "engine/api/int_or_string.h"
#include "engine/api/quantity.h"
#include "engine/api/selector.h"
#include "engine/api/types/core.h"
#include "engine/api/validation.h"

using namespace ph;
using namespace ph::api;

class ValuesTest : public QObject {
  Q_OBJECT
  std::shared_ptr<Registry> registry_ = Registry::builtin();

 private slots:
  void quantities_data() {
    QTest::addColumn<QByteArray>("in");
    QTest::addColumn<QByteArray>("out");
    QTest::addColumn<qint64>("milli");
    QTest::addColumn<qint64>("units");
    auto row = [](const char* in, const char* out, qint64 milli, qint64 units) { QTest::newRow(in) << QByteArray(in) << QByteArray(out) << milli << units; };
    row("0", "0", 0, 0);
    row("0Mi", "0", 0, 0);
    row("1", "1", 1000, 1);
    row("-1", "-1", -1000, -1);
    row("+5", "5", 5000, 5);
    row("100m", "100m", 100, 1);
    row("1500m", "1500m", 1500, 2);
    row("1000m", "1", 1000, 1);
    row("0.5", "500m", 500, 1);
    row(".5", "500m", 500, 1);
    row("5.", "5", 5000, 5);
    row("1.5Gi", "1536Mi", 1610612736000, 1610612736);
    row("1024Mi", "1Gi", 1073741824000, 1073741824);
    row("1000Mi", "1000Mi", 1048576000000, 1048576000);
    row("1023", "1023", 1023000, 1023);
    row("0.5Ki", "512", 512000, 512);
    row("0.5Mi", "512Ki", 524288000, 524288);
    row("1k", "1k", 1000000, 1000);
    row("1000k", "1M", 1000000000, 1000000);
    row("12e6", "12e6", 12000000000, 12000000);
    row("12E6", "12e6", 12000000000, 12000000);
    row("1e3", "1e3", 1000000, 1000);
    row("1E", "1E", INT64_MAX, 1000000000000000000);
    row("1n", "1n", 1, 1);
    row("0.1n", "1n", 1, 1);
    row("-0.1n", "-1n", -1, -1);
    row("1u", "1u", 1, 1);
    row("0.1m", "100u", 1, 1);
    row("1e-10", "1e-9", 1, 1);
    row("9223372036854775807", "9223372036854775807", INT64_MAX, INT64_MAX);
    row("100000000000000000000", "9223372036854775807", INT64_MAX, INT64_MAX);
    row("16Ei", "9223372036854775807", INT64_MAX, INT64_MAX);
    row("1e999999999999", "9223372036854775807", INT64_MAX, INT64_MAX);
    row("0.000000000000000000000000000000000000000000001", "1n", 1, 1);
    row("1.0000000000000000000000000000000000000000000000", "1", 1000, 1);
  }
  void quantities() {
    QFETCH(QByteArray, in);
    QFETCH(QByteArray, out);
    QFETCH(qint64, milli);
    QFETCH(qint64, units);
    auto q = Quantity::parse(in.toStdString());
    QVERIFY(q);
    QCOMPARE(QByteArray::fromStdString(q->text()), out);
    QCOMPARE(qint64(q->milli()), milli);
    QCOMPARE(qint64(q->units()), units);
    QCOMPARE(*Quantity::parse(q->text()), *q);
    QCOMPARE(Quantity::parse(q->text())->text(), q->text());
  }

  void notQuantities() {
    for (auto* s : {"", " ", "m", "1 Gi", "1gi", "1GI", "1.2.3", "--1", "1e", "1e+", "1ee3", "0x10", "1K", "Gi", "-", "1Gi ", "e3", "1e3m", "NaN", "."})
      QVERIFY2(!Quantity::parse(s), s);
  }

  void quantityArithmetic() {
    auto q = [](const char* s) { return *Quantity::parse(s); };
    QCOMPARE((q("100m") + q("0.9")).text(), std::string("1"));
    QCOMPARE((q("1Gi") + q("512Mi")).text(), std::string("1536Mi"));
    QCOMPARE((Quantity() + q("1Gi")).text(), std::string("1Gi"));
    QCOMPARE((q("1") - q("1500m")).text(), std::string("-500m"));
    QCOMPARE((q("9223372036854775807") + q("1")).units(), INT64_MAX);
    QVERIFY(q("999m") < q("1"));
    QVERIFY(q("1024Ki") == q("1Mi"));
    QVERIFY(q("-1n") < q("0"));
    QCOMPARE(Quantity::fromMilli(1500).text(), std::string("1500m"));
    QCOMPARE(Quantity::fromMilli(-1500).text(), std::string("-1500m"));
    QCOMPARE(Quantity::fromUnits(1 << 20, Quantity::Format::BinarySi).text(), std::string("1Mi"));
  }

  void intOrString() {
    QCOMPARE(IntOrString(3).resolve(10, false), std::optional<int64_t>(3));
    QCOMPARE(IntOrString("25%").resolve(3, true), std::optional<int64_t>(1));
    QCOMPARE(IntOrString("25%").resolve(3, false), std::optional<int64_t>(0));
    QCOMPARE(IntOrString("100%").resolve(7, true), std::optional<int64_t>(7));
    for (auto* bad : {"", "%", "x%", "5", "5%%", "1.5%"}) QVERIFY2(!IntOrString(std::string(bad)).resolve(10, true), bad);
  }

  void labelSelectors_data() {
    QTest::addColumn<QByteArray>("selector");
    QTest::addColumn<bool>("matches");
    auto row = [](const char* s, bool m) { QTest::newRow(s) << QByteArray(s) << m; };
    row("", true);
    row("app=web", true);
    row("app==web", true);
    row("app = web , tier!=db", true);
    row("app!=web", false);
    row("missing!=x", true);
    row("app", true);
    row("!app", false);
    row("!missing", true);
    row("app in (api, web)", true);
    row("app in (api)", false);
    row("app notin (api,web)", false);
    row("missing notin (a)", true);
    row("missing in (a)", false);
    row("empty=", true);
    row("empty in ()", true);
    row("example.com/part=x", true);
    row("size>3", true);
    row("size<3", false);
    row("app>3", false);
    row("app=web,tier=db", false);
  }
  void labelSelectors() {
    QFETCH(QByteArray, selector);
    QFETCH(bool, matches);
    Labels labels{{"app", "web"}, {"empty", ""}, {"example.com/part", "x"}, {"size", "5"}, {"tier", "front"}};
    auto s = LabelSelector::parse(selector.toStdString());
    QVERIFY2(s.ok(), s.ok() ? "" : s.status().message.c_str());
    QCOMPARE(s->matches(labels), matches);
    auto again = LabelSelector::parse(s->text());
    QVERIFY(again.ok());
    QCOMPARE(again->matches(labels), matches);
    QCOMPARE(again->text(), s->text());
  }

  void badLabelSelectors() {
    for (auto* s : {"=x", "a=b=c", "a in x", "a in (x", "a in (x y)", ",", "a,", "!", "a b", "-a=b", "a=_b", "a/b/c=d", "/b=c", "a=b/c", "a>x", "!a=b", "a in (x) b"}) {
      auto r = LabelSelector::parse(s);
      QVERIFY2(!r.ok(), s);
      QCOMPARE(r.status().code, 400);
    }
    QVERIFY(!LabelSelector::parse(std::string(100, 'a') + "=b").ok());
  }

  void selectorObjects() {
    auto make = [](const char* text) {
      Json v = *parseJson(text);
      return LabelSelector::fromJson(&v);
    };
    Labels labels{{"app", "web"}};
    QVERIFY(make("{}")->matches(labels));
    QVERIFY(!make("null")->matches(labels));
    QVERIFY(!LabelSelector::fromJson(nullptr)->matches(labels));
    QVERIFY(make(R"({"matchLabels":{"app":"web"},"matchExpressions":[{"key":"x","operator":"DoesNotExist"}]})")->matches(labels));
    QVERIFY(!make(R"({"matchExpressions":[{"key":"app","operator":"NotIn","values":["web"]}]})")->matches(labels));
    QVERIFY(!make(R"({"matchExpressions":[{"key":"app","operator":"In","values":[]}]})").ok());
    QVERIFY(!make(R"({"matchExpressions":[{"key":"app","operator":"Exists","values":["x"]}]})").ok());
    QVERIFY(!make(R"({"matchExpressions":[{"key":"app","operator":"Like","values":["x"]}]})").ok());
    QCOMPARE(make(R"({"matchLabels":{"b":"1","a":"2"}})")->text(), std::string("a=2,b=1"));
  }

  void selectorsInAnyForm() {
    auto of = [](const char* json) {
      Json v = *parseJson(json);
      auto s = LabelSelector::fromAny(&v);
      return s.ok() ? s->text() : "refused";
    };
    QCOMPARE(of("\"app=web,tier in (a,b)\""), std::string("app=web,tier in (a,b)"));
    QCOMPARE(of("{\"matchLabels\":{\"app\":\"web\"}}"), std::string("app=web"));
    QCOMPARE(of("{\"app\":\"web\",\"tier\":\"a\"}"), std::string("app=web,tier=a"));
    QCOMPARE(of("{\"matchLabels\":\"web\"}"), std::string("matchLabels=web"));  // a label of this name
    QCOMPARE(of("[]"), std::string("refused"));
    QVERIFY(!LabelSelector::fromAny(nullptr)->matches({{"app", "web"}}));
  }

  void names_data() {
    QTest::addColumn<int>("rule");
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<bool>("fine");
    auto row = [](int rule, QByteArray name, bool fine) { QTest::addRow("%d %s", rule, name.left(30).constData()) << rule << name << fine; };
    for (auto* s : {"a", "a-b", "0a", "123"}) row(0, s, true);
    for (auto* s : {"", "-a", "a-", "A", "a.b", "a_b", "\xc3\xa4"}) row(0, s, false);
    row(0, QByteArray(63, 'a'), true);
    row(0, QByteArray(64, 'a'), false);
    for (auto* s : {"a.b", "a-b.c0"}) row(1, s, true);
    for (auto* s : {"a..b", ".a", "a.", "a.-b", "A.b", "a b"}) row(1, s, false);
    row(1, QByteArray(254, 'a'), false);
    row(2, "a1", true);
    row(2, "1a", false);
    for (auto* s : {"a/b", "example.com/My_Name.1", "A"}) row(3, s, true);
    for (auto* s : {"", "/a", "a/", "a/b/c", "-a", "A/b", "a b", "a/-b"}) row(3, s, false);
    for (auto* s : {"", "A", "a.b_c-d"}) row(4, s, true);
    for (auto* s : {"-a", "a-", "a/b", "a b"}) row(4, s, false);
    for (auto* s : {"A", "_a", "my.env-name", "a1"}) row(5, s, true);
    for (auto* s : {"", "1a", "a b", "a=b", "..", "."}) row(5, s, false);
    for (auto* s : {"a", "A.b_c-1", ".hidden"}) row(6, s, true);
    for (auto* s : {"", "a/b", ".", "..", "..a", "a b"}) row(6, s, false);
    for (auto* s : {"http", "p-1", "1p"}) row(7, s, true);
    for (auto* s : {"", "123", "a--b", "-a", "a-", "Http", "averyveryverylong"}) row(7, s, false);
    for (auto* s : {"10.0.0.1", "::1", "fe80::1"}) row(8, s, true);
    for (auto* s : {"", "10.0.0", "10.0.0.256", "host", "1.2.3.4/24"}) row(8, s, false);
  }
  void names() {
    QFETCH(int, rule);
    QFETCH(QByteArray, name);
    QFETCH(bool, fine);
    static constexpr std::string (*rules[])(std::string_view) = {checkDnsLabel, checkDnsSubdomain, checkDns1035Label, checkQualifiedName, checkLabelValue,
                                                                 checkEnvName, checkConfigKey, checkPortName, checkIp};
    auto why = rules[rule](name.toStdString());
    QCOMPARE(why.empty(), fine);
  }
};

QTEST_GUILESS_MAIN(ValuesTest)
#include "values_test.moc"

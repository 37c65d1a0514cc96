// Rows of tables: their natural order, and that sorting many at once gives the same order as comparing them.
#include <QTest>
#include <random>

#include "models/table_rows.h"

using namespace ph::models;

class TableRowsTest : public QObject {
  Q_OBJECT

 private slots:
  void naturalOrder_data() {
    QTest::addColumn<QStringList>("inOrder");
    QTest::newRow("numbers") << QStringList{"", "a", "a-", "a1", "a1b", "a01", "a2", "a9x", "a10", "a10b", "a100", "ab", "b"};
    QTest::newRow("zeros") << QStringList{"0", "00", "000", "1", "01", "2"};
    QTest::newRow("in words") << QStringList{"web-9-a", "web-10-a", "web-10-b", "web-x"};
    QTest::newRow("other bytes") << QStringList{"a b", "a-b", "a/b", "a5b", "a:b", "aa", "a{", "aé"};
    const QString many(300, '7');
    QTest::newRow("long numbers") << QStringList{"x" + QString(254, '9'), "x" + QString(255, '1'), "x" + many, "x" + many + "a", "x" + many + "7"};
  }
  void naturalOrder() {
    QFETCH(QStringList, inOrder);
    std::vector<TableRowPtr> rows;
    for (int i = 0; i < inOrder.size(); ++i) {
      const std::string a = inOrder[i].toStdString();
      rows.push_back(TableRow::make("", a, 0, {a}));
      for (int j = 0; j < inOrder.size(); ++j) {
        const int c = naturalCompare(a, inOrder[j].toStdString());
        QVERIFY2((c < 0) == (i < j) && (c > 0) == (i > j), qPrintable(inOrder[i] + " : " + inOrder[j]));
      }
    }
    std::shuffle(rows.begin(), rows.end(), std::mt19937(7));
    rows = arrange(std::move(rows), {}, {});
    for (int i = 0; i < inOrder.size(); ++i) QCOMPARE(QString::fromUtf8(rows[size_t(i)]->cell(0).data(), qsizetype(rows[size_t(i)]->cell(0).size())), inOrder[i]);
  }

  void sortsAsItCompares_data() {
    QTest::addColumn<int>("by");
    QTest::addColumn<bool>("descending");
    for (int by = 0; by < 4; ++by) {
      for (bool descending : {false, true}) QTest::addRow("%d %d", by, int(descending)) << by << descending;
    }
  }
  void sortsAsItCompares() {
    QFETCH(int, by);
    QFETCH(bool, descending);
    std::mt19937 random(42);
    auto text = [&] {
      static constexpr std::string_view letters = "ab01290-/z \x7f\xc3\xa9";
      std::string s(random() % 9, ' ');
      for (auto& c : s) c = letters[random() % letters.size()];
      return s;
    };
    const TableOrder order{TableOrder::By(by), 1, descending};
    std::vector<TableRowPtr> rows;
    for (int i = 0; i < 3000; ++i) {
      static constexpr std::string_view numbers[] = {"0", "-1", "12", "3 (5m ago)", "", "<none>", "100000", "-0.5", "2.25"};
      rows.push_back(TableRow::make(random() % 2 ? "a" : text(), text() + '#' + std::to_string(i), int64_t(random() % 50) - 10,
                                    {"x", by == int(TableOrder::By::Number) ? std::string(numbers[random() % 9]) : text()}));
    }
    auto compared = rows;
    std::sort(compared.begin(), compared.end(), [&](auto& a, auto& b) { return rowLess(*a, *b, order); });
    QVERIFY(arrange(rows, {}, order) == compared);
    std::erase_if(compared, [](auto& r) { return !rowFits(*r, {"0", "a"}); });
    QVERIFY(!compared.empty() && compared.size() < rows.size());
    QVERIFY(arrange(rows, {"0", "a"}, order) == compared);
    QVERIFY(arrange(rows, {"not in any"}, order).empty());
  }
};

QTEST_GUILESS_MAIN(TableRowsTest)
#include "table_rows_test.moc"

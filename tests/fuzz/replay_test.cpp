// What fuzzing starts from, and what it once broke, run through every target: no crash, and no broken promise.
#include <QDir>
#include <QFile>
#include <QTest>

#include "tests/fuzz/targets.h"

using namespace ph;

class FuzzReplayTest : public QObject {
  Q_OBJECT
 private slots:
  void inputs_data() {
    QTest::addColumn<int>("target");
    int i = 0;
    for (auto& target : fuzz::targets())
      QTest::newRow(std::string(target.name).c_str()) << i++;
  }
  void inputs() {
    QFETCH(int, target);
    auto& one = fuzz::targets()[size_t(target)];
    int seeds = 0;
    for (auto folder : {"corpus", "regressions"}) {
      QDir dir(QString(PH_SOURCE_DIR) + "/tests/fuzz/" + folder + "/" + QString::fromStdString(std::string(one.name)));
      for (auto& name : dir.entryList(QDir::Files)) {
        QFile file(dir.filePath(name));
        QVERIFY(file.open(QIODevice::ReadOnly));
        auto bytes = file.readAll();
        one.run({bytes.constData(), size_t(bytes.size())});
        // Cut short anywhere it is still no more than a bad input.
        for (qsizetype n = 0; n < std::min<qsizetype>(bytes.size(), 300); ++n) one.run({bytes.constData(), size_t(n)});
        ++seeds;
      }
    }
    QVERIFY2(seeds > 0, "no seed");
  }
  void everyFolderHasATarget() {
    for (auto folder : {"corpus", "regressions"})
      for (auto& name : QDir(QString(PH_SOURCE_DIR) + "/tests/fuzz/" + folder).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        bool known = false;
        for (auto& target : fuzz::targets()) known = known || name == QString::fromStdString(std::string(target.name));
        QVERIFY2(known, qPrintable(name));
      }
  }
};

QTEST_GUILESS_MAIN(FuzzReplayTest)
#include "replay_test.moc"

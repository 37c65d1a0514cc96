// The addresses under which a server is told to others are such that others reach.
#include <QHostAddress>
#include <QNetworkInterface>
#include <QTest>

#include "engine/runtime/advertised.h"

using ph::runtime::advertisedAddresses;

class AdvertisedTest : public QObject {
  Q_OBJECT
 private slots:
  void hosts_data() {
    QTest::addColumn<QString>("host");
    QTest::addColumn<QString>("told");
    auto row = [](const char* host, const char* told) { QTest::newRow(host) << host << told; };
    row("10.3.0.1", "10.3.0.1");
    row("fd00::1", "fd00::1");
    row("127.0.0.1", "");
    row("127.8.9.1", "");
    row("::1", "");
    row("fe80::1", "");
    row("localhost", "");
    row("256.1.1.1", "");
  }
  void hosts() {
    QFETCH(QString, host);
    QFETCH(QString, told);
    QStringList got;
    for (auto& a : advertisedAddresses(host.toStdString())) got << QString::fromStdString(a);
    QCOMPARE(got.join(' '), told);
  }

  // Whatever this machine has: one of its own, that is no loopback.
  void everywhere() {
    bool networked = false;
    for (auto& a : QNetworkInterface::allAddresses()) networked |= a.protocol() == QAbstractSocket::IPv4Protocol && !a.isLoopback() && !a.isLinkLocal();
    for (auto* host : {"0.0.0.0", "::", ""}) {
      const auto all = advertisedAddresses(host);
      QCOMPARE(!all.empty(), networked);
      for (auto& a : all) {
        const QHostAddress address(QString::fromStdString(a));
        QVERIFY(!address.isLoopback() && QNetworkInterface::allAddresses().contains(address));
      }
    }
  }
};

QTEST_GUILESS_MAIN(AdvertisedTest)
#include "advertised_test.moc"

// The table in engine/server/README.md is what the registry says. PH_WRITE_TABLE=1 writes it anew.
#include <QtTest>

#include <QFile>
#include <map>
#include <set>

#include "engine/api/registry.h"
#include "engine/server/discovery.h"

using namespace ph;

namespace {

constexpr const char *kBegin = "<!-- kinds: written by tests/unit/server/kinds_table_test -->\n", *kEnd = "<!-- end of kinds -->\n";

QString verbsOf(const api::ResourceInfo& info) {
  QStringList out;
  for (auto verb : {"create", "get", "list", "watch", "update", "patch", "delete", "deletecollection"})
    if (api::allows(info, verb)) out << verb;
  return out.size() == 8 ? "all" : out.join(", ");
}

QString versionOf(const api::ResourceInfo& info) {
  auto version = QString::fromStdString(info.version);
  if (info.stored && info.storedVersion) version = "**" + version + "**";
  return info.deprecation.empty() ? version : version + " (old)";
}

QString table() {
  auto registry = api::Registry::builtin();
  // A line for each kind of a group, with its versions in the order of discovery.
  std::map<std::pair<std::string, std::string>, std::vector<const api::ResourceInfo*>> kinds;
  for (auto* info : registry->all()) kinds[{info->group, info->kind}].push_back(info);
  auto groups = registry->groupVersions();
  QString out = "| group | kind | versions | verbs | subresources |\n|---|---|---|---|---|\n";
  for (auto& [key, infos] : kinds) {
    auto order = std::find_if(groups.begin(), groups.end(), [&](auto& g) { return g.first == key.first; })->second;
    std::sort(infos.begin(), infos.end(), [&](auto* a, auto* b) {
      return std::find(order.begin(), order.end(), a->version) < std::find(order.begin(), order.end(), b->version);
    });
    QStringList versions, subresources;
    for (auto* info : infos) versions << versionOf(*info);
    for (auto& s : server::subresourcesOf(*infos[0])) subresources << QString::fromUtf8(s.name.data(), int(s.name.size()));
    out += QString("| %1 | %2%3 | %4 | %5 | %6 |\n")
               .arg(key.first.empty() ? "core" : QString::fromStdString(key.first), QString::fromStdString(key.second),
                    infos[0]->namespaced ? "" : " ¹", versions.join(", "), verbsOf(*infos[0]), subresources.join(", "));
  }
  return out;
}

}  // namespace

class KindsTableTest : public QObject {
  Q_OBJECT
 private slots:
  void readmeHoldsTheRegistry() {
    QFile file(PH_SOURCE_DIR "/engine/server/README.md");
    QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(file.fileName()));
    auto text = QString::fromUtf8(file.readAll());
    file.close();
    auto from = text.indexOf(kBegin), to = text.indexOf(kEnd);
    QVERIFY(from >= 0 && to > from);
    from += QString(kBegin).size();
    if (qEnvironmentVariableIsSet("PH_WRITE_TABLE")) {
      text.replace(from, to - from, table());
      QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
      file.write(text.toUtf8());
      return;
    }
    QCOMPARE(text.mid(from, to - from), table());
  }

  // Of each kind that is kept one version is the stored one, and the others find it.
  void oneStoredVersion() {
    auto registry = api::Registry::builtin();
    std::map<std::string, int> stored;
    for (auto* info : registry->all()) stored[info->storageGroupKind] += info->storedVersion;
    for (auto& [kind, n] : stored) QVERIFY2(n == 1, kind.c_str());
    for (auto* info : registry->all()) {
      auto* kept = registry->stored(*info);
      QVERIFY(kept->storedVersion);
      QCOMPARE(kept->storageGroupKind, info->storageGroupKind);
      QCOMPARE(kept->namespaced, info->namespaced);
      QCOMPARE(kept->hasStatus && !info->hasStatus && info->group != "storage.k8s.io", false);
    }
  }
};

QTEST_GUILESS_MAIN(KindsTableTest)
#include "kinds_table_test.moc"

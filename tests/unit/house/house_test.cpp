// Checks the rules of the house on the tree itself: the table below says which folder may include which.
#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

namespace {

struct Room {
  const char* path;
  QStringList mayInclude;  // rooms, besides itself
  bool qt = false;
};

// The longest matching path wins. Includes of what a listed room itself may include are allowed too (they are its interface).
const QList<Room>& rooms() {
  static const QList<Room> table = {
      {"engine/base", {}},
      {"engine/api", {"engine/base"}},
      {"engine/net", {"engine/base"}},
      {"engine/store", {"engine/base"}},
      {"engine/cache", {"engine/store", "engine/api"}},
      {"engine/client", {"engine/api", "engine/net"}},
      {"engine/controllers", {"engine/client"}},
      {"engine/scheduler", {"engine/client"}},
      {"engine/metrics", {"engine/client"}},
      {"engine/timeline", {"engine/client"}},
      {"engine/deploy", {"engine/client"}},
      {"engine/fleet", {"engine/client", "engine/net"}},
      {"engine/server", {"engine/cache", "engine/client", "engine/net"}},
      {"engine/runtime",
       {"engine/server", "engine/controllers", "engine/scheduler", "engine/metrics", "engine/timeline", "engine/fleet", "engine/store"}},
      {"agents", {"engine/base", "engine/api", "engine/net", "engine/client"}},
      {"models", {"engine/base", "engine/api", "engine/client"}, true},
      {"ui", {"models", "engine/api"}, true},
      {"app", {"ui", "models", "engine/runtime", "engine/deploy", "agents"}, true},
  };
  return table;
}

const Room* roomOf(const QString& path) {
  const Room* best = nullptr;
  for (auto& room : rooms())
    if (path.startsWith(QString(room.path) + "/") && (!best || qstrlen(room.path) > qstrlen(best->path))) best = &room;
  return best;
}

void reach(const QString& path, QSet<QString>& out) {
  if (out.contains(path)) return;
  out.insert(path);
  for (auto& room : rooms())
    if (path == room.path)
      for (auto& next : room.mayInclude) reach(next, out);
}

QStringList sources() {
  QStringList files;
  for (auto top : {"app", "ui", "models", "engine", "agents"}) {
    QDirIterator it(QString(PH_SOURCE_DIR) + "/" + top, {"*.h", "*.cpp"}, QDir::Files, QDirIterator::Subdirectories);
    while (it.hasNext()) files << it.next().mid(qstrlen(PH_SOURCE_DIR) + 1);
  }
  return files;
}

QStringList linesOf(const QString& file) {
  QFile f(QString(PH_SOURCE_DIR) + "/" + file);
  if (!f.exists()) f.setFileName(QString(PH_BIN_DIR) + "/../engine/api/gen/" + file);  // generated
  if (!f.open(QIODevice::ReadOnly)) return {};
  return QString::fromUtf8(f.readAll()).split('\n');
}

// The standard headers that a name may come from; names that stand in no row are not looked at.
const QHash<QString, QStringList>& standardHeaders() {
  static const QHash<QString, QStringList> table = [] {
    const QList<std::pair<QStringList, QStringList>> rows = {
        {{"string", "to_string"}, {"string", "sstream", "fstream", "filesystem"}},
        {{"string_view"}, {"string_view", "string", "sstream"}},
        {{"vector"}, {"vector", "functional"}},
        {{"map", "multimap"}, {"map"}},
        {{"set", "multiset"}, {"set"}},
        {{"unordered_map"}, {"unordered_map"}},
        {{"unordered_set"}, {"unordered_set"}},
        {{"deque"}, {"deque"}},
        {{"list"}, {"list"}},
        {{"array"}, {"array"}},
        {{"function"}, {"functional"}},
        {{"optional", "nullopt", "make_optional"}, {"optional"}},
        {{"variant", "monostate"}, {"variant"}},
        {{"unique_ptr", "shared_ptr", "weak_ptr", "make_unique", "make_shared", "enable_shared_from_this"}, {"memory"}},
        {{"mutex", "lock_guard", "unique_lock", "once_flag"}, {"mutex", "shared_mutex", "condition_variable"}},
        {{"shared_mutex", "shared_lock"}, {"shared_mutex"}},
        {{"condition_variable"}, {"condition_variable"}},
        {{"atomic"}, {"atomic"}},
        {{"thread", "jthread"}, {"thread"}},
        {{"future", "promise"}, {"future"}},
        {{"chrono"}, {"chrono", "thread", "condition_variable", "future"}},
        {{"span"}, {"span"}},
        {{"tuple"}, {"tuple", "map", "memory", "functional"}},
    };
    QHash<QString, QStringList> out;
    for (auto& [names, headers] : rows)
      for (auto& name : names) out[name] = headers;
    return out;
  }();
  return table;
}

// What a header brings with it: its own <...> includes and those of the house's headers it includes.
const QSet<QString>& broughtBy(const QString& file) {
  static QHash<QString, QSet<QString>> known;
  if (auto it = known.constFind(file); it != known.constEnd()) return *it;
  known.insert(file, {});
  static const QRegularExpression include("^\\s*#\\s*include\\s+([\"<])([^\">]+)[\">]");
  QSet<QString> out;
  for (auto& line : linesOf(file)) {
    auto m = include.match(line);
    if (!m.hasMatch()) continue;
    if (m.captured(1) == "<") out << m.captured(2);
    else out += QSet<QString>(broughtBy(m.captured(2)));
  }
  return *known.insert(file, out);
}

}  // namespace

class HouseTest : public QObject {
  Q_OBJECT
 private slots:
  void everyIncludeIsAllowed() {
    static const QRegularExpression include("^\\s*#\\s*include\\s+([\"<])([^\">]+)[\">]");
    QStringList wrong;
    int looked = 0;
    for (auto& file : sources()) {
      const Room* room = roomOf(file);
      if (!room) {
        wrong << file + " stands in no room";
        continue;
      }
      QSet<QString> allowed;
      reach(room->path, allowed);
      QFile f(QString(PH_SOURCE_DIR) + "/" + file);
      QVERIFY(f.open(QIODevice::ReadOnly));
      int number = 0;
      for (auto& line : QString::fromUtf8(f.readAll()).split('\n')) {
        ++number;
        auto m = include.match(line);
        if (!m.hasMatch()) continue;
        ++looked;
        QString what = m.captured(2);
        if (m.captured(1) == "<") {
          bool qt = what.size() > 1 && what[0] == 'Q' && (what[1].isUpper() || what.startsWith("Qt"));
          if (qt && !room->qt) wrong << QString("%1:%2 includes Qt (%3)").arg(file).arg(number).arg(what);
          continue;
        }
        if (what.endsWith(".moc")) continue;
        const Room* target = roomOf(what);
        // Generated protobuf headers stand beside the file that uses them.
        if (!target) {
          if (!what.endsWith(".pb.h")) wrong << QString("%1:%2 include is not root-relative: %3").arg(file).arg(number).arg(what);
        } else if (!allowed.contains(target->path)) {
          wrong << QString("%1:%2 may not include %3").arg(file).arg(number).arg(what);
        }
      }
    }
    QVERIFY(looked > 100);
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join('\n')));
  }

  // Every header is compiled alone (house_headers), but with the precompiled ones before it: those must not be what it lives on.
  void everyHeaderIncludesWhatItNames() {
    static const QRegularExpression named("\\bstd::(\\w+)");
    QStringList wrong;
    int looked = 0;
    for (auto& file : sources()) {
      if (!file.endsWith(".h")) continue;
      ++looked;
      auto& brought = broughtBy(file);
      QString code;
      for (auto& line : linesOf(file)) code += line.section("//", 0, 0) + '\n';
      QSet<QString> told;
      for (auto it = named.globalMatch(code); it.hasNext();) {
        QString name = it.next().captured(1);
        auto headers = standardHeaders().value(name);
        if (headers.isEmpty() || told.contains(name)) continue;
        told << name;
        if (!std::any_of(headers.begin(), headers.end(), [&](auto& h) { return brought.contains(h); }))
          wrong << QString("%1 uses std::%2 without <%3>").arg(file, name, headers.first());
      }
    }
    QVERIFY(looked > 100);
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join('\n')));
  }

  void thereIsNoOtherTopLevelFolder() {
    const QStringList allowed = {"app", "ui", "models", "engine", "agents", "resources", "tests", "installer", "build"};
    for (auto& dir : QDir(PH_SOURCE_DIR).entryList(QDir::Dirs | QDir::NoDotAndDotDot))
      QVERIFY2(allowed.contains(dir), qPrintable(dir));
  }

  void onlyBaseTouchesClocksAndThreads() {
    // What DESIGN names: outside base, net, store (its writer), fleet and the agent's own processes nothing blocks or makes a thread.
    static const QRegularExpression banned(
        "std::thread\\b|std::jthread\\b|sleep_for|sleep_until|usleep\\s*\\(|system_clock::now|steady_clock::now|random_device|\\bstd::rand\\b");
    QStringList wrong;
    for (auto& file : sources()) {
      if (file.startsWith("engine/base/") || file.startsWith("engine/net/") || file.startsWith("engine/store/") ||
          file.startsWith("engine/fleet/"))
        continue;
      QFile f(QString(PH_SOURCE_DIR) + "/" + file);
      QVERIFY(f.open(QIODevice::ReadOnly));
      int number = 0;
      for (auto& line : QString::fromUtf8(f.readAll()).split('\n')) {
        ++number;
        QString code = line.section("//", 0, 0);
        auto m = banned.match(code);
        if (m.hasMatch()) wrong << QString("%1:%2 %3").arg(file).arg(number).arg(m.captured(0));
      }
    }
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join('\n')));
  }
};

QTEST_GUILESS_MAIN(HouseTest)
#include "house_test.moc"

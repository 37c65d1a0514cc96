#include "models/machine_import.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>

#include "models/words.h"

namespace ph::models {

namespace {

struct Import {
  Q_DECLARE_TR_FUNCTIONS(Import)
};

// What stands between two brackets, written out.
bool expandChoices(const QString& inside, QStringList& out, QString* problem) {
  static const QRegularExpression range(QStringLiteral("^(\\d{1,9})-(\\d{1,9})$"));
  static const QRegularExpression word(QStringLiteral("^[A-Za-z0-9]+$"));
  for (auto& part : inside.split(',')) {
    const QString text = part.trimmed();
    const auto m = range.match(text);
    if (m.hasMatch()) {
      const int from = m.captured(1).toInt(), to = m.captured(2).toInt();
      if (from > to) {
        *problem = Import::tr("%1 counts backwards").arg(text);
        return false;
      }
      if (to - from >= kMaxImported) {
        *problem = Import::tr("%1 are more than %2 machines").arg(text).arg(kMaxImported);
        return false;
      }
      const int width = m.captured(1).startsWith('0') ? int(m.captured(1).size()) : 0;
      for (int i = from; i <= to; ++i) out << QStringLiteral("%1").arg(i, width, 10, QLatin1Char('0'));
    } else if (word.match(text).hasMatch()) {
      out << text;
    } else {
      *problem = text.isEmpty() ? Import::tr("something is missing between the brackets")
                                : Import::tr("“%1” is no range. For example: [1-8]").arg(text);
      return false;
    }
  }
  return true;
}

bool isIpv6(const QString& bracket) {
  return bracket.count(':') >= 2;
}

// "[USER@]HOST[:PORT]" into its parts, HOST possibly a range or an IPv6 address in brackets.
struct Login {
  QString user, host, problem;
  int port = 0;
};
Login parseLogin(QString text) {
  Login l;
  if (text.startsWith(QStringLiteral("ssh://"))) text = text.mid(6);
  const int at = int(text.lastIndexOf('@'));
  if (at >= 0) {
    l.user = text.left(at);
    text = text.mid(at + 1);
    if (l.user.isEmpty()) l.problem = Import::tr("the user before @ is missing");
  }
  static const QRegularExpression six(QStringLiteral("^\\[([0-9a-fA-F:.%a-z]+)\\](?::(\\d+))?$"));
  static const QRegularExpression withPort(QStringLiteral("^([^:]*):([^:]*)$"));
  if (auto m = six.match(text); m.hasMatch() && isIpv6(m.captured(1))) {
    l.host = m.captured(1);
    l.port = m.captured(2).toInt();
  } else if (auto n = withPort.match(text); n.hasMatch()) {
    l.host = n.captured(1);
    bool ok = false;
    l.port = n.captured(2).toInt(&ok);
    if (!ok || l.port < 1 || l.port > 65535) l.problem = Import::tr("“%1” is no port").arg(n.captured(2));
  } else {
    l.host = text;  // with two colons or more and no brackets: an IPv6 address
  }
  if (l.host.isEmpty() && l.problem.isEmpty()) l.problem = Import::tr("the address is missing");
  return l;
}

void judge(ImportedMachine& m) {
  if (!m.problem.isEmpty()) return;
  const auto wrong = check(m.form);
  if (wrong.isEmpty()) return;
  m.problem = wrong.first().text;
}

}  // namespace

QStringList expandRange(const QString& pattern, QString* problem) {
  QStringList out{QString()};
  QString why;
  for (int at = 0; at < pattern.size();) {
    const QChar c = pattern[at];
    QStringList choices;
    if (c == '[') {
      const int end = int(pattern.indexOf(']', at));
      if (end < 0) {
        *problem = Import::tr("a bracket is not closed");
        return {};
      }
      if (!expandChoices(pattern.mid(at + 1, end - at - 1), choices, &why)) {
        *problem = why;
        return {};
      }
      at = end + 1;
    } else if (c == ']') {
      *problem = Import::tr("a bracket is not opened");
      return {};
    } else {
      int end = at;
      while (end < pattern.size() && pattern[end] != '[' && pattern[end] != ']') ++end;
      choices << pattern.mid(at, end - at);
      at = end;
    }
    if (out.size() * choices.size() > kMaxImported) {
      *problem = Import::tr("these are more than %1 machines").arg(kMaxImported);
      return {};
    }
    QStringList next;
    for (auto& head : std::as_const(out)) {
      for (auto& tail : std::as_const(choices)) next << head + tail;
    }
    out = next;
  }
  return out;
}

QList<ImportedMachine> machinesOfList(const QString& text, const MachineForm& defaults) {
  QList<ImportedMachine> out;
  int number = 0;
  static const QRegularExpression gap(QStringLiteral("[\\s;]+|,(?![^\\[]*\\])"));
  for (QString line : text.split('\n')) {
    ++number;
    if (const int hash = int(line.indexOf('#')); hash >= 0) line.truncate(hash);
    QStringList words = line.split(gap, Qt::SkipEmptyParts);
    if (!words.isEmpty() && words.first() == u"ssh") words.removeFirst();
    if (words.isEmpty()) continue;
    ImportedMachine m;
    m.form = defaults;
    m.form.name.clear();
    m.source = Import::tr("line %1").arg(number);
    const Login login = parseLogin(words.first());
    if (!login.user.isEmpty()) m.form.user = login.user;
    if (login.port > 0) m.form.port = login.port;
    m.problem = login.problem;
    const bool range = login.host.contains('[') || login.host.contains(']');
    const QStringList hosts = range ? expandRange(login.host, &m.problem) : QStringList{login.host};
    if (words.size() > 2 && m.problem.isEmpty()) m.problem = Import::tr("“%1” is one word too many").arg(words[2]);
    if (words.size() == 2 && hosts.size() > 1 && m.problem.isEmpty())
      m.problem = Import::tr("one name can't be that of %n machines", nullptr, int(hosts.size()));
    if (words.size() == 2) m.form.name = words[1];
    if (!m.problem.isEmpty()) {
      m.form.address = login.host.isEmpty() ? words.first() : login.host;
      out << m;
      continue;
    }
    for (auto& host : hosts) {
      if (out.size() >= kMaxImported) return out;
      m.form.address = host;
      m.problem.clear();
      judge(m);
      out << m;
    }
  }
  return out;
}

// ---- ssh_config

namespace {

struct Setting {
  QStringList hosts;  // patterns of the block it stands in; empty: all
  bool dead = false;  // in a Match block
  QString key, value, where;
};

class ConfigReader {
 public:
  explicit ConfigReader(QString home) : home_(std::move(home)) {}
  QList<Setting> settings;
  QStringList notes;

  bool file(const QString& path, int depth, QStringList& hosts, bool dead) {
    QFile in(path);
    if (++files_ > kMaxIncludes || depth > kIncludeDepth) {
      notes << Import::tr("%1 is left out: too many files include one another.").arg(shown(path));
      return true;
    }
    if (in.size() > (1 << 20) || !in.open(QIODevice::ReadOnly)) return false;
    // Blocks that an included file opens end with it.
    QStringList inside = hosts;
    text(QString::fromUtf8(in.readAll()), shown(path), depth, inside, dead);
    return true;
  }

  void text(const QString& all, const QString& name, int depth, QStringList& hosts, bool dead) {
    int number = 0;
    for (auto& line : all.split('\n')) {
      ++number;
      const QStringList words = split(line);
      if (words.isEmpty()) continue;
      const QString key = words.first().toLower(), where = QStringLiteral("%1:%2").arg(name).arg(number);
      const QStringList values = words.mid(1);
      if (values.isEmpty()) {
        notes << Import::tr("%1: %2 has no value.").arg(where, words.first());
      } else if (key == u"host") {
        hosts = values;
        dead = false;
        settings.append({hosts, false, key, {}, where});  // where its machines come from
      } else if (key == u"match") {
        dead = values != QStringList{QStringLiteral("all")};
        if (dead) notes << Import::tr("%1: a Match block is passed over.").arg(where);
        if (!dead) hosts.clear();
      } else if (key == u"include") {
        for (auto& pattern : values) include(pattern, where, depth, hosts, dead);
      } else {
        settings.append({hosts, dead, key, values.join(' '), where});
      }
    }
  }

  QString shown(const QString& path) const {
    return !home_.isEmpty() && path.startsWith(home_ + '/') ? '~' + path.mid(home_.size()) : path;
  }

 private:
  // Words, quoted or not; "Key=value" and "Key = value" are the same as "Key value".
  static QStringList split(QString line) {
    line = line.trimmed();
    if (line.startsWith('#')) return {};
    static const QRegularExpression head(QStringLiteral("^([A-Za-z][A-Za-z0-9]*)\\s*=\\s*|^([A-Za-z][A-Za-z0-9]*)\\s+"));
    QStringList out;
    int at = 0;
    if (auto m = head.match(line); m.hasMatch()) {
      out << (m.captured(1).isEmpty() ? m.captured(2) : m.captured(1));
      at = int(m.capturedEnd());
    }
    QString word;
    bool quoted = false, any = false;
    for (; at < line.size(); ++at) {
      const QChar c = line[at];
      if (c == '"') {
        quoted = !quoted;
        any = true;
      } else if (c == '#' && !quoted && word.isEmpty()) {
        break;  // newer ssh takes what follows for a comment
      } else if (c.isSpace() && !quoted) {
        if (any || !word.isEmpty()) out << word;
        word.clear();
        any = false;
      } else {
        word += c;
      }
    }
    if (any || !word.isEmpty()) out << word;
    return out;
  }

  void include(QString pattern, const QString& where, int depth, QStringList& hosts, bool dead) {
    if (pattern.startsWith(QStringLiteral("~/")))
      pattern = home_ + pattern.mid(1);
    else if (QDir::isRelativePath(pattern))
      pattern = home_ + QStringLiteral("/.ssh/") + pattern;
    const QFileInfo info(pattern);
    QStringList paths;
    if (info.fileName().contains('*') || info.fileName().contains('?')) {
      for (auto& f : QDir(info.path()).entryInfoList({info.fileName()}, QDir::Files, QDir::Name)) paths << f.filePath();
    } else if (info.isFile()) {
      paths << pattern;
    } else {
      notes << Import::tr("%1: there is no %2.").arg(where, shown(pattern));
    }
    for (auto& path : paths) {
      if (!file(path, depth + 1, hosts, dead)) notes << Import::tr("%1: %2 can't be read.").arg(where, shown(path));
    }
  }

  QString home_;
  int files_ = 0;
};

bool wild(const QString& pattern) {
  return pattern.contains('*') || pattern.contains('?') || pattern.startsWith('!');
}

bool fits(const QStringList& patterns, const QString& host) {
  if (patterns.isEmpty()) return true;
  bool any = false;
  for (QString p : patterns) {
    const bool no = p.startsWith('!');
    if (no) p = p.mid(1);
    const QRegularExpression form(QRegularExpression::anchoredPattern(
        QRegularExpression::escape(p).replace(QStringLiteral("\\*"), QStringLiteral(".*")).replace(QStringLiteral("\\?"), QStringLiteral("."))));
    if (!form.match(host).hasMatch()) continue;
    if (no) return false;
    any = true;
  }
  return any;
}

ImportedMachine resolve(const QList<Setting>& settings, const QString& alias, const QString& home) {
  ImportedMachine m;
  m.form.name = toName(alias);
  QHash<QString, QString> first;
  for (auto& s : settings) {
    if (s.dead || !fits(s.hosts, alias)) continue;
    if (s.key == u"host") {
      if (m.source.isEmpty() && s.hosts.contains(alias)) m.source = s.where;
      continue;
    }
    if (!first.contains(s.key)) first[s.key] = s.value;
  }
  QString address = first.value(QStringLiteral("hostname"), alias);
  address.replace(QStringLiteral("%h"), alias).replace(QStringLiteral("%%"), QStringLiteral("%"));
  m.form.address = address;
  m.form.user = first.value(QStringLiteral("user"), m.form.user);
  if (auto port = first.constFind(QStringLiteral("port")); port != first.cend()) {
    bool ok = false;
    m.form.port = port->toInt(&ok);
    if (!ok || m.form.port < 1 || m.form.port > 65535) {
      m.form.port = 22;
      m.problem = Import::tr("“%1” is no port").arg(*port);
    }
  }
  QString key = first.value(QStringLiteral("identityfile"));
  if (!key.isEmpty() && key != u"none") {
    if (key.startsWith(QStringLiteral("~/"))) key = home + key.mid(1);
    key.replace(QStringLiteral("%d"), home)
        .replace(QStringLiteral("%h"), address)
        .replace(QStringLiteral("%r"), m.form.user)
        .replace(QStringLiteral("%%"), QStringLiteral("%"));
    m.form.identityFile = key;
  }
  const QString jump = first.value(QStringLiteral("proxyjump")), through = first.value(QStringLiteral("proxycommand"));
  if (!jump.isEmpty() && jump != u"none")
    m.problem = Import::tr("goes through %1 (ProxyJump): not possible yet").arg(jump);
  else if (!through.isEmpty() && through != u"none")
    m.problem = Import::tr("is reached by a command (ProxyCommand): not possible yet");
  judge(m);
  if (m.form.user == u"git") {
    m.chosen = false;
    m.note = Import::tr("looks like a place for code");
  }
  return m;
}

SshConfigAnswer resolveAll(ConfigReader& reader, const QString& home) {
  SshConfigAnswer out;
  out.notes = reader.notes;
  QStringList aliases;
  for (auto& s : std::as_const(reader.settings)) {
    if (s.key != u"host") continue;
    for (auto& h : s.hosts) {
      if (!h.isEmpty() && !wild(h) && !aliases.contains(h)) aliases << h;
    }
  }
  for (auto& alias : std::as_const(aliases)) {
    if (out.machines.size() >= kMaxImported) {
      out.notes << Import::tr("Only the first %1 are shown.").arg(kMaxImported);
      break;
    }
    out.machines << resolve(reader.settings, alias, home);
  }
  return out;
}

}  // namespace

SshConfigAnswer machinesOfSshText(const QString& text, const QString& shown, const QString& home) {
  ConfigReader reader(home);
  QStringList hosts;
  reader.text(text, shown, 0, hosts, false);
  return resolveAll(reader, home);
}

SshConfigAnswer machinesOfSshConfig(const QString& path, const QString& home) {
  ConfigReader reader(home);
  QStringList hosts;
  SshConfigAnswer out;
  if (!reader.file(path, 0, hosts, false)) {
    out.problem = QFileInfo::exists(path) ? Import::tr("%1 can't be read.").arg(reader.shown(path))
                                          : Import::tr("There is no %1.").arg(reader.shown(path));
    return out;
  }
  return resolveAll(reader, home);
}

// ---- the table

MachineImportModel::MachineImportModel(ClusterState* state, QObject* parent)
    : QAbstractTableModel(parent), state_(state) {}

void MachineImportModel::set(QList<ImportedMachine> machines) {
  QSet<QString> names, places;
  for (auto& m : machines) {
    const QString name = machineName(m.form), place = QStringLiteral("%1:%2").arg(m.form.address).arg(m.form.port);
    if (m.problem.isEmpty()) {
      if (state_->machine(name))
        m.problem = tr("%1 is here already").arg(name);
      else if (names.contains(name) || places.contains(place))
        m.problem = tr("stands there twice");
    }
    for (auto& [key, known] : state_->machines()) {
      if (m.problem.isEmpty() && known.address == m.form.address && known.port == m.form.port)
        m.problem = tr("is here already, as %1").arg(key);
    }
    names.insert(name);
    places.insert(place);
  }
  beginResetModel();
  machines_ = std::move(machines);
  endResetModel();
  emit choiceChanged();
}

QList<MachineForm> MachineImportModel::chosen() const {
  QList<MachineForm> out;
  for (auto& m : machines_) {
    if (m.chosen && m.problem.isEmpty()) out << m.form;
  }
  return out;
}

void MachineImportModel::chooseAll(bool on) {
  for (auto& m : machines_) m.chosen = on;
  if (!machines_.isEmpty()) emit dataChanged(index(0, 0), index(int(machines_.size()) - 1, 0), {Qt::CheckStateRole});
  emit choiceChanged();
}

void MachineImportModel::drop(const QStringList& names) {
  beginResetModel();
  machines_.removeIf([&](const ImportedMachine& m) { return m.problem.isEmpty() && names.contains(machineName(m.form)); });
  endResetModel();
  emit choiceChanged();
}

int MachineImportModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(machines_.size());
}
int MachineImportModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : Columns;
}

QVariant MachineImportModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  auto& m = machines_[index.row()];
  const QString login = QStringLiteral("%1@%2%3").arg(
      m.form.user, m.form.address, m.form.port == 22 ? QString() : QStringLiteral(":%1").arg(m.form.port));
  const QString note = !m.problem.isEmpty() ? m.problem : !m.note.isEmpty() ? m.note : m.source;
  switch (role) {
    case Qt::DisplayRole:
      return index.column() == Name ? machineName(m.form) : index.column() == Login ? login : note;
    case Qt::ToolTipRole:
      return QStringList{machineName(m.form), login, m.form.identityFile, m.source, m.problem}
          .filter(QRegularExpression(QStringLiteral(".")))
          .join('\n');
    case Qt::CheckStateRole:
      if (index.column() != Name) return {};
      return m.chosen && m.problem.isEmpty() ? Qt::Checked : Qt::Unchecked;
    case ProblemRole:
      return m.problem;
    case Qt::AccessibleTextRole:
      return QStringList{machineName(m.form), login, note}.join(QStringLiteral(", "));
    default:
      return {};
  }
}

bool MachineImportModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (role != Qt::CheckStateRole || index.column() != Name || index.row() >= rowCount()) return false;
  auto& m = machines_[index.row()];
  if (!m.problem.isEmpty()) return false;
  m.chosen = value.toInt() == Qt::Checked;
  emit dataChanged(index, index, {role});
  emit choiceChanged();
  return true;
}

QVariant MachineImportModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  return section == Name ? tr("Name") : section == Login ? tr("Login") : tr("From, or what hinders");
}

Qt::ItemFlags MachineImportModel::flags(const QModelIndex& index) const {
  if (!index.isValid()) return {};
  auto& m = machines_[index.row()];
  Qt::ItemFlags f = Qt::ItemIsSelectable | Qt::ItemIsEnabled;
  if (index.column() == Name && m.problem.isEmpty()) f |= Qt::ItemIsUserCheckable;
  return f;
}

}  // namespace ph::models

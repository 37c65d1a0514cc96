#include "models/manifest_files.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>
#include <algorithm>

#include "engine/api/codec.h"
#include "models/json_read.h"

namespace ph::models {

namespace {

namespace bj = boost::json;

struct Manifests {
  Q_DECLARE_TR_FUNCTIONS(Manifests)
};

struct Part {
  int line = 1;
  QByteArray text;
  bool blank = true;
};

// A YAML stream's documents: parted by lines that begin with three dashes. Blank ones and comments alone are none.
QList<Part> documents(const QByteArray& text) {
  QList<Part> out{{}};
  int number = 0;
  for (qsizetype at = 0; at < text.size();) {
    ++number;
    qsizetype end = text.indexOf('\n', at);
    if (end < 0) end = text.size();
    const QByteArrayView line(text.constData() + at, end - at);
    const bool parts = line.startsWith("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\r' || line[3] == '\t');
    if (parts) {
      out.append({number + 1, {}, true});
    } else {
      out.last().text += line.toByteArray() + '\n';
      const QByteArray trimmed = line.trimmed().toByteArray();
      if (out.last().blank && !trimmed.isEmpty() && !trimmed.startsWith('#')) {
        out.last().blank = false;
        // Comments and empty lines before the first word are not where it begins.
        out.last().text = QByteArray(line.toByteArray() + '\n');
        out.last().line = number;
      }
    }
    at = end + 1;
  }
  out.removeIf([](const Part& p) { return p.blank; });
  return out;
}

// "malformed YAML at line 3, column 5: ..." counts from the document's beginning; people count from the file's.
void explainAt(ManifestDoc& doc, const QString& message) {
  static const QRegularExpression place(QStringLiteral("\\bline (\\d+), column (\\d+)(?:: ?)?"));
  const auto found = place.match(message);
  if (!found.hasMatch()) {
    doc.problem = message;
    return;
  }
  doc.problemLine = doc.line + found.captured(1).toInt() - 1;
  QString rest = message.mid(found.capturedEnd());
  if (rest.isEmpty()) rest = message.left(found.capturedStart()).trimmed();
  doc.problem = Manifests::tr("can't be read: %1").arg(rest);
}

void name(ManifestDoc& doc) {
  doc.apiVersion = json::text(&doc.tree, {"apiVersion"});
  doc.kind = json::text(&doc.tree, {"kind"});
  doc.name = json::text(&doc.tree, {"metadata", "name"});
  doc.ns = json::text(&doc.tree, {"metadata", "namespace"});
  if (!doc.tree.is_object() || (doc.apiVersion.isEmpty() && doc.kind.isEmpty()))
    doc.problem = Manifests::tr("is no Kubernetes object: apiVersion and kind are missing");
  else if (doc.apiVersion.isEmpty())
    doc.problem = Manifests::tr("apiVersion is missing");
  else if (doc.kind.isEmpty())
    doc.problem = Manifests::tr("kind is missing");
  else if (doc.name.isEmpty())
    doc.problem = Manifests::tr("metadata.name is missing");
}

int rankOf(const QString& kind) {
  static const QStringList order{
      "Namespace",          "CustomResourceDefinition", "PriorityClass", "StorageClass", "ResourceQuota",
      "LimitRange",         "ServiceAccount",           "ClusterRole",   "Role",         "ClusterRoleBinding",
      "RoleBinding",        "ConfigMap",                "Secret",        "PersistentVolume",
      "PersistentVolumeClaim", "Service"};
  const int at = int(order.indexOf(kind));
  return at < 0 ? int(order.size()) : at;
}

void readFile(const QString& path, const QString& shown, ManifestSet& set) {
  QFile file(path);
  ManifestDoc bad;
  bad.file = shown;
  if (file.size() > kMaxManifestBytes) {
    bad.problem = Manifests::tr("is too large for a manifest (%1 MB at most)").arg(kMaxManifestBytes >> 20);
  } else if (!file.open(QIODevice::ReadOnly)) {
    bad.problem = Manifests::tr("can't be read: %1").arg(file.errorString());
  } else {
    auto docs = parseManifest(shown, file.readAll());
    if (docs.isEmpty()) set.notes << Manifests::tr("%1 holds no object.").arg(shown);
    set.docs += docs;
    return;
  }
  set.docs << bad;
}

}  // namespace

bool isManifestFile(const QString& path) {
  const QString suffix = QFileInfo(path).suffix().toLower();
  return suffix == u"yaml" || suffix == u"yml" || suffix == u"json";
}

bool isImageArchive(const QString& path) {
  const QString name = QFileInfo(path).fileName().toLower();
  return name.endsWith(u".tar") || name.endsWith(u".tgz") || name.endsWith(u".tar.gz") || name.endsWith(u".oci");
}

bool isDeployable(const QStringList& paths) {
  return !paths.isEmpty() && std::all_of(paths.begin(), paths.end(), [](auto& p) {
    return isManifestFile(p) || isImageArchive(p) || QFileInfo(p).isDir();
  });
}

QList<ManifestDoc> parseManifest(const QString& file, const QByteArray& text) {
  QList<ManifestDoc> out;
  for (auto& part : documents(text)) {
    ManifestDoc doc;
    doc.file = file;
    doc.line = part.line;
    auto tree = api::parseYaml(part.text.toStdString());
    if (!tree.ok()) {
      explainAt(doc, QString::fromStdString(tree.status().message));
      out << doc;
      continue;
    }
    if (tree->is_null()) continue;
    const QString kind = json::text(&*tree, {"kind"});
    if (kind.endsWith(u"List") && json::find(&*tree, {"items"})) {
      for (auto& item : json::list(&*tree, {"items"})) {
        doc.tree = item;
        doc.problem.clear();
        name(doc);
        out << doc;
      }
      continue;
    }
    doc.tree = std::move(*tree);
    name(doc);
    out << doc;
  }
  return out;
}

void sortForApply(QList<ManifestDoc>& docs) {
  std::stable_sort(docs.begin(), docs.end(), [](auto& a, auto& b) {
    // What is wrong stands first: nothing is applied before it is mended or left out.
    if (a.problem.isEmpty() != b.problem.isEmpty()) return !a.problem.isEmpty();
    return rankOf(a.kind) < rankOf(b.kind);
  });
}

ManifestSet readManifests(const QStringList& paths) {
  ManifestSet set;
  QList<QPair<QString, QString>> files;  // path, as shown
  for (auto& path : paths) {
    const QFileInfo info(path);
    if (!info.isDir()) {
      files.append({path, info.fileName()});
      continue;
    }
    const QString folder = QDir(path).dirName();
    int sub = 0;
    for (auto& entry : QDir(path).entryInfoList(QDir::Files | QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
      if (entry.isDir()) {
        ++sub;
      } else if (entry.fileName().startsWith(u"kustomization.")) {
        set.notes << Manifests::tr("%1/%2 is for kustomize; the files are taken as they are.").arg(folder, entry.fileName());
      } else if (isManifestFile(entry.filePath()) || isImageArchive(entry.filePath())) {
        files.append({entry.filePath(), folder + '/' + entry.fileName()});
      }
    }
    if (sub > 0) set.notes << Manifests::tr("%n folder(s) inside %1 are left out.", nullptr, sub).arg(folder);
  }
  if (files.size() > kMaxManifestFiles) {
    set.notes << Manifests::tr("Only the first %1 files are taken.").arg(kMaxManifestFiles);
    files.resize(kMaxManifestFiles);
  }
  for (auto& [path, shown] : files) {
    if (isImageArchive(path)) {
      set.archives << path;
    } else if (isManifestFile(path)) {
      readFile(path, shown, set);
    } else {
      ManifestDoc bad;
      bad.file = shown;
      bad.problem = QFileInfo::exists(path) ? Manifests::tr("is neither YAML, JSON nor an image archive")
                                            : Manifests::tr("there is no such file");
      set.docs << bad;
    }
    if (set.docs.size() > kMaxManifestDocs) {
      set.notes << Manifests::tr("Only the first %1 objects are taken.").arg(kMaxManifestDocs);
      set.docs.resize(kMaxManifestDocs);
      break;
    }
  }
  sortForApply(set.docs);
  return set;
}

}  // namespace ph::models

// Manifests as people have them: YAML and JSON files and folders of them, document by document, each with the line
// where it begins and, when it can't be read, what is wrong with it and where. Threads: pure but for readManifests,
// which reads files and so belongs on an executor.
#pragma once

#include <QList>
#include <QString>
#include <QStringList>
#include <boost/json.hpp>

namespace ph::models {

struct ManifestDoc {
  QString file;  // as it was given, a folder's with the folder's name before it
  int line = 1;  // where the document begins
  QString apiVersion, kind, ns, name;
  boost::json::value tree;
  QString problem;      // in words; empty: it can be read
  int problemLine = 0;  // of the file; 0: of the whole document
};

struct ManifestSet {
  QList<ManifestDoc> docs;  // in the order to apply
  QStringList archives;     // image archives that lie beside them
  QStringList notes;        // what was left out, and why
};

constexpr qint64 kMaxManifestBytes = 8 << 20;  // of a file
constexpr int kMaxManifestFiles = 1000, kMaxManifestDocs = 5000;

bool isManifestFile(const QString& path);
bool isImageArchive(const QString& path);
// Whether a drop of these is something that deploys: manifests, folders, archives.
bool isDeployable(const QStringList& paths);

// One file's documents, Lists taken apart.
QList<ManifestDoc> parseManifest(const QString& file, const QByteArray& text);
// Kinds that others need come first (namespaces, kinds, accounts, configuration...); else the order stays.
void sortForApply(QList<ManifestDoc>& docs);
// Folders are read without their sub-folders, as kubectl does.
ManifestSet readManifests(const QStringList& paths);

}  // namespace ph::models

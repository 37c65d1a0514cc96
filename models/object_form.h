// ObjectForm: a namespace, ConfigMap, Secret or ResourceQuota as a form: made anew, or read from the object that is
// there. What the form does not show of an object stays as it was. A Secret's values are in the form and in what is
// sent, nowhere else: the manifest that is shown masks them. Threads: plain values; pure.
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>
#include <boost/json.hpp>

#include "models/forms.h"

namespace ph::models {

struct ObjectForm {
  enum class Kind : uint8_t { Namespace, ConfigMap, Secret, Quota };
  struct Entry {
    QString key, value;
    bool binary = false;  // no text: `value` is its base64, kept as it is
    bool operator==(const Entry&) const = default;
  };
  Kind kind = Kind::ConfigMap;
  QString ns = QStringLiteral("default"), name;
  QString type = QStringLiteral("Opaque");  // of a Secret
  bool immutable = false;
  QList<Entry> entries;     // data; labels of a namespace; amounts of a quota
  boost::json::value live;  // the object that is edited; null: a new one
  bool isNew() const { return live.is_null(); }
};

// Fields: "name", "namespace", "type", and "entry:KEY" or "entries" for the entries.
QList<FieldProblem> check(const ObjectForm& form);
// What is sent: POST of a new one, PUT of one that was there.
boost::json::value object(const ObjectForm& form);
// The same as YAML without what the server keeps for itself; a Secret's values are masked.
QString manifest(const ObjectForm& form);
QString command(const ObjectForm& form);  // the kubectl line
QString removeCommand(const ObjectForm& form);
ObjectForm formOf(const boost::json::value& object);

// What people mostly enter in a kind: what a quota can limit, the labels of a namespace that do something. Others are for
// those who know them. Empty for a kind whose entries are free.
struct KnownEntry {
  QString key, what, example;
};
QList<KnownEntry> knownEntries(ObjectForm::Kind kind);

// The kind's place in the API, and its name for people ("ConfigMap").
struct FormKind {
  const char *kind, *plural, *kubectl;
  bool namespaced;
};
const FormKind& kindOf(ObjectForm::Kind kind);
bool hasForm(const QString& group, const QString& kind, ObjectForm::Kind* out = nullptr);

}  // namespace ph::models

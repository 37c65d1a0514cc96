// ObjectRef: names one object of any kind, and its paths in the API. Its key is what a Subject of kind Object
// holds. Threads: plain values.
#pragma once

#include <QString>
#include <QStringList>

#include "models/facts.h"

namespace ph::models {

// A kind as discovery names it.
struct KindRef {
  QString group, version, kind, plural;  // the core group is empty
  bool namespaced = true;
  bool operator==(const KindRef&) const = default;
  QString apiVersion() const { return group.isEmpty() ? version : group + '/' + version; }
  // "/api/v1", "/apis/apps/v1"
  QString root() const {
    return group.isEmpty() ? QStringLiteral("/api/") + version : QStringLiteral("/apis/%1/%2").arg(group, version);
  }
  // Of all objects, or those of a namespace.
  QString path(const QString& ns = {}) const {
    return ns.isEmpty() ? root() + '/' + plural : root() + QStringLiteral("/namespaces/") + ns + '/' + plural;
  }
};

struct ObjectRef {
  QString group, version, kind, plural, ns, name;
  bool operator==(const ObjectRef&) const = default;

  // "GROUP/VERSION/KIND/PLURAL/NS/NAME"; none of them holds a slash.
  QString key() const { return QStringList{group, version, kind, plural, ns, name}.join('/'); }
  static ObjectRef of(const QString& key) {
    const QStringList p = key.split('/');
    return p.size() == 6 ? ObjectRef{p[0], p[1], p[2], p[3], p[4], p[5]} : ObjectRef{};
  }
  static ObjectRef of(const KindRef& kind, const QString& ns, const QString& name) {
    return {kind.group, kind.version, kind.kind, kind.plural, ns, name};
  }
  KindRef kindRef() const { return {group, version, kind, plural, !ns.isEmpty()}; }
  QString path() const { return kindRef().path(ns) + '/' + name; }
  Subject subject() const { return {Subject::Kind::Object, key()}; }
  // "deployments.apps", as kubectl tells kinds of the same name apart; just "pods" for the core group.
  QString kubectlKind() const { return group.isEmpty() ? plural : plural + '.' + group; }
};

class ClusterState;

// What the window knows better (pods, applications, machines) by their own subjects; everything else by its reference.
Subject subjectOf(const ClusterState& state, const ObjectRef& ref);
ObjectRef refOf(const ClusterState& state, const Subject& subject);  // empty for no subject

}  // namespace ph::models

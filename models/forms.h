// Forms: what the dialogs collect, checked field by field, and the manifests they become.
// Threads: plain values; pure functions.
#pragma once

#include <QList>
#include <QString>
#include <boost/json.hpp>

namespace ph::models {

struct FieldProblem {
  QString field, text;
};

struct DeployForm {
  struct Port {
    int port = 80;      // of the Service
    int target = 8080;  // of the container
  };
  QString name, ns = QStringLiteral("default");
  QString image;
  QString archive;  // path of the OCI or Docker archive that `image` was loaded from; empty: none
  int copies = 1;
  QList<Port> ports;
  QList<QPair<QString, QString>> env;
  QString cpuLimit, memoryLimit;  // empty: none
};

QList<FieldProblem> check(const DeployForm& form);
// The objects that the form becomes, in the order to apply: Deployment, and a Service when there are ports.
QList<boost::json::value> objects(const DeployForm& form);
QString manifest(const DeployForm& form);  // the same as YAML

struct MachineForm {
  QString name;  // empty: made from the address
  QString address, user = QStringLiteral("root");
  int port = 22;
  QString identityFile;
  QString zone;  // a label of its Node; empty: none
};

QList<FieldProblem> check(const MachineForm& form);
QString machineName(const MachineForm& form);
boost::json::value object(const MachineForm& form);
QString manifest(const MachineForm& form);

// "web=1" lines; a line without '=' is a problem.
QList<QPair<QString, QString>> parseEnv(const QString& text, QList<FieldProblem>* problems = nullptr);
// "80:8080" or "80", separated by commas or blanks.
QList<DeployForm::Port> parsePorts(const QString& text, QList<FieldProblem>* problems = nullptr);
// A Kubernetes name made from any text: lower case, digits and dashes, at most 63.
QString toName(const QString& text);

}  // namespace ph::models

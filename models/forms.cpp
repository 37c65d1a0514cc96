#include "models/forms.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QRegularExpression>

#include "engine/api/quantity.h"
#include "engine/api/validation.h"
#include "models/yaml_text.h"

namespace ph::models {

namespace {

namespace bj = boost::json;

struct Forms {
  Q_DECLARE_TR_FUNCTIONS(Forms)
};

bj::string str(const QString& s) {
  return bj::string(s.toStdString());
}

// What a name may be, in one sentence; empty when it is fine.
QString nameProblem(const QString& name) {
  if (name.isEmpty()) return Forms::tr("Give it a name.");
  if (!api::checkDnsLabel(name.toStdString()).empty()) {
    return Forms::tr("Small letters, digits and dashes only, at most 63, a letter or digit first and last.");
  }
  return {};
}

QString quantityProblem(const QString& text, const QString& example) {
  auto q = api::Quantity::parse(text.toStdString());
  if (!q || q->negative() || q->isZero()) return Forms::tr("Not an amount. For example: %1").arg(example);
  return {};
}

}  // namespace

QString toName(const QString& text) {
  QString out;
  for (QChar c : text.toLower()) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out += c;
    else if (!out.isEmpty() && !out.endsWith('-'))
      out += QLatin1Char('-');
  }
  out = out.left(63);
  while (out.endsWith('-')) out.chop(1);
  return out;
}

QList<QPair<QString, QString>> parseEnv(const QString& text, QList<FieldProblem>* problems) {
  QList<QPair<QString, QString>> out;
  for (QString line : text.split('\n')) {
    line = line.trimmed();
    if (line.isEmpty() || line.startsWith('#')) continue;
    const int at = int(line.indexOf('='));
    const QString name = line.left(at).trimmed();
    if (at <= 0 || !api::checkEnvName(name.toStdString()).empty()) {
      if (problems) problems->append({QStringLiteral("env"), Forms::tr("“%1” is not NAME=value.").arg(line)});
      continue;
    }
    out.append({name, line.mid(at + 1)});
  }
  return out;
}

QList<DeployForm::Port> parsePorts(const QString& text, QList<FieldProblem>* problems) {
  QList<DeployForm::Port> out;
  static const QRegularExpression gap(QStringLiteral("[,\\s]+"));
  static const QRegularExpression form(QStringLiteral("^(\\d{1,5})(?::(\\d{1,5}))?$"));
  for (auto& part : text.split(gap, Qt::SkipEmptyParts)) {
    auto m = form.match(part);
    const int port = m.captured(1).toInt(), target = m.captured(2).isEmpty() ? port : m.captured(2).toInt();
    if (!m.hasMatch() || port < 1 || port > 65535 || target < 1 || target > 65535) {
      if (problems)
        problems->append(
            {QStringLiteral("ports"), Forms::tr("“%1” is not a port. For example: 80:8080").arg(part)});
      continue;
    }
    out.append({port, target});
  }
  return out;
}

QList<FieldProblem> check(const DeployForm& f) {
  QList<FieldProblem> out;
  auto add = [&](const char* field, const QString& text) {
    if (!text.isEmpty()) out.append({QLatin1String(field), text});
  };
  add("name", nameProblem(f.name));
  add("namespace", nameProblem(f.ns));
  static const QRegularExpression image(QStringLiteral("^[a-z0-9]([a-zA-Z0-9._:/@-]*[a-zA-Z0-9])?$"));
  if (f.image.isEmpty())
    add("image", Forms::tr("Name an image, or choose an archive."));
  else if (!image.match(f.image).hasMatch())
    add("image", Forms::tr("Not an image's name. For example: shop/web:2.4"));
  if (f.copies < 0 || f.copies > 5000) add("copies", Forms::tr("Between 0 and 5000."));
  QList<int> seen;
  for (auto& p : f.ports) {
    if (seen.contains(p.port)) add("ports", Forms::tr("Port %1 stands there twice.").arg(p.port));
    seen << p.port;
  }
  if (!f.ports.isEmpty() && !api::checkDns1035Label(f.name.toStdString()).empty() && !f.name.isEmpty()) {
    add("name", Forms::tr("With ports, the name must start with a letter: it becomes the Service's name."));
  }
  if (!f.cpuLimit.isEmpty()) add("cpu", quantityProblem(f.cpuLimit, QStringLiteral("500m, 2")));
  if (!f.memoryLimit.isEmpty()) add("memory", quantityProblem(f.memoryLimit, QStringLiteral("128Mi, 2Gi")));
  return out;
}

QList<bj::value> objects(const DeployForm& f) {
  const bj::object labels{{"app", str(f.name)}};
  bj::object container{{"name", str(f.name)}, {"image", str(f.image)}};
  if (!f.archive.isEmpty()) container["imagePullPolicy"] = "IfNotPresent";
  if (!f.ports.isEmpty()) {
    bj::array ports;
    for (auto& p : f.ports) ports.push_back(bj::object{{"containerPort", p.target}});
    container["ports"] = std::move(ports);
  }
  if (!f.env.isEmpty()) {
    bj::array env;
    for (auto& [name, value] : f.env) env.push_back(bj::object{{"name", str(name)}, {"value", str(value)}});
    container["env"] = std::move(env);
  }
  bj::object limits;
  if (!f.cpuLimit.isEmpty()) limits["cpu"] = str(f.cpuLimit);
  if (!f.memoryLimit.isEmpty()) limits["memory"] = str(f.memoryLimit);
  if (!limits.empty()) container["resources"] = bj::object{{"limits", std::move(limits)}};
  bj::object meta{{"name", str(f.name)}, {"namespace", str(f.ns)}, {"labels", labels}};
  QList<bj::value> out;
  out.append(bj::object{
      {"apiVersion", "apps/v1"},
      {"kind", "Deployment"},
      {"metadata", meta},
      {"spec",
       bj::object{{"replicas", f.copies},
                  {"selector", bj::object{{"matchLabels", labels}}},
                  {"template",
                   bj::object{{"metadata", bj::object{{"labels", labels}}},
                              {"spec", bj::object{{"containers", bj::array{std::move(container)}}}}}}}}});
  if (!f.ports.isEmpty()) {
    bj::array ports;
    for (auto& p : f.ports) {
      bj::object port;
      if (f.ports.size() > 1) port["name"] = str(QStringLiteral("p%1").arg(p.port));
      port["port"] = p.port;
      port["targetPort"] = p.target;
      ports.push_back(std::move(port));
    }
    out.append(bj::object{{"apiVersion", "v1"},
                          {"kind", "Service"},
                          {"metadata", meta},
                          {"spec", bj::object{{"selector", labels}, {"ports", std::move(ports)}}}});
  }
  return out;
}

QString manifest(const DeployForm& form) {
  QStringList parts;
  for (auto& o : objects(form)) parts << toYaml(o);
  return parts.join(QStringLiteral("---\n"));
}

QList<FieldProblem> check(const MachineForm& f) {
  QList<FieldProblem> out;
  static const QRegularExpression host(QStringLiteral("^[A-Za-z0-9_]([A-Za-z0-9._:-]*[A-Za-z0-9])?$"));
  if (f.address.isEmpty())
    out.append({QStringLiteral("address"), Forms::tr("Where is it? A host name or an IP address.")});
  else if (!host.match(f.address).hasMatch())
    out.append({QStringLiteral("address"), Forms::tr("Not a host name or an IP address.")});
  static const QRegularExpression user(QStringLiteral("^[a-z_][a-z0-9_.-]*\\$?$"),
                                       QRegularExpression::CaseInsensitiveOption);
  if (f.user.isEmpty())
    out.append({QStringLiteral("user"), Forms::tr("Who logs in?")});
  else if (!user.match(f.user).hasMatch())
    out.append({QStringLiteral("user"), Forms::tr("Not a user's name.")});
  if (f.port < 1 || f.port > 65535) out.append({QStringLiteral("port"), Forms::tr("Between 1 and 65535.")});
  if (!f.identityFile.isEmpty()) {
    const QFileInfo key(f.identityFile);
    if (!key.isFile())
      out.append({QStringLiteral("key"), Forms::tr("There is no such file.")});
    else if (!key.isReadable())
      out.append({QStringLiteral("key"), Forms::tr("This file can't be read.")});
    else if (key.suffix() == u"pub")
      out.append(
          {QStringLiteral("key"), Forms::tr("This is the public half; choose the file without .pub.")});
  }
  if (!f.name.isEmpty() && !api::checkDnsSubdomain(f.name.toStdString()).empty()) {
    out.append({QStringLiteral("name"), Forms::tr("Small letters, digits, dashes and dots only.")});
  }
  if (!f.zone.isEmpty() && !api::checkLabelValue(f.zone.toStdString()).empty()) {
    out.append({QStringLiteral("zone"),
                Forms::tr("Letters, digits, dashes, dots and underscores only, at most 63.")});
  }
  return out;
}

QString machineName(const MachineForm& f) {
  if (!f.name.isEmpty()) return f.name;
  static const QRegularExpression numeric(QStringLiteral("^[0-9.:a-fA-F]+$"));
  QString base = numeric.match(f.address).hasMatch() ? f.address : f.address.section('.', 0, 0);
  return toName(base + (f.port == 22 ? QString() : QStringLiteral("-%1").arg(f.port)));
}

bj::value object(const MachineForm& f) {
  bj::object spec{{"address", str(f.address)}, {"port", f.port}, {"user", str(f.user)}};
  if (!f.identityFile.isEmpty()) spec["credentials"] = bj::object{{"identityFile", str(f.identityFile)}};
  if (!f.zone.isEmpty()) spec["labels"] = bj::object{{"topology.kubernetes.io/zone", str(f.zone)}};
  return bj::object{{"apiVersion", "fleet.pilothouse.io/v1"},
                    {"kind", "Machine"},
                    {"metadata", bj::object{{"name", str(machineName(f))}}},
                    {"spec", std::move(spec)}};
}

QString manifest(const MachineForm& form) {
  return toYaml(object(form));
}

}  // namespace ph::models

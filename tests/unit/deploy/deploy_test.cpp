// What a deploy reads and how it judges: manifests, images, rollouts, pods in trouble. (The whole of it: tests/api.)
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "engine/api/codec.h"
#include "engine/deploy/manifests.h"
#include "engine/deploy/rollout.h"

using namespace ph;
using namespace ph::deploy;

namespace {
Json j(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return *api::parseJson(text);
}
std::string names(const std::vector<Json>& objects) {
  std::string out;
  for (auto& o : objects) out += (out.empty() ? "" : " ") + textAt(o, {"kind"}) + "/" + textAt(o, {"metadata", "name"});
  return out;
}
void put(const QTemporaryDir& dir, const char* name, const std::string& text) { std::ofstream(dir.filePath(name).toStdString()) << text; }
}  // namespace

class DeployTest : public QObject {
  Q_OBJECT
 private slots:
  void documentsAndLists() {
    auto r = parseManifests("# only words\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: \"--- no\"}\n---   \n\n---\n"
                            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n- {apiVersion: v1, kind: Service, metadata: {name: c}}\n",
                            "f.yaml");
    QVERIFY2(r.ok(), r.ok() ? "" : r.status().message.c_str());
    QCOMPARE(names(*r), std::string("ConfigMap/a Secret/b Service/c"));
  }
  void whatIsNoManifest_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("says");
    QTest::newRow("no kind") << QByteArray("a: 1\n") << QByteArray("apiVersion and kind are needed");
    QTest::newRow("no name") << QByteArray("apiVersion: v1\nkind: Pod\nmetadata: {}\n") << QByteArray("no metadata.name");
    QTest::newRow("a word") << QByteArray("hello\n") << QByteArray("no Kubernetes object");
    QTest::newRow("second is bad") << QByteArray("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n[1\n") << QByteArray("document 2");
  }
  void whatIsNoManifest() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, says);
    auto r = parseManifests(text.toStdString(), "bad.yaml");
    QVERIFY(!r.ok());
    QVERIFY2(r.status().message.find("bad.yaml") == 0 && r.status().message.find(says.toStdString()) != std::string::npos, r.status().message.c_str());
  }
  void aFolder() {
    QTemporaryDir dir;
    put(dir, "2.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: space}\n");
    put(dir, "1.json", R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"web"}})");
    put(dir, "web.tar", "x");
    put(dir, "README.md", "x");
    auto r = readSource(dir.path().toStdString());
    QVERIFY(r.ok());
    QCOMPARE(names(r->objects), std::string("Namespace/space Service/web Deployment/web"));
    QCOMPARE(r->archives.size(), size_t(1));
    QTemporaryDir empty;
    QVERIFY(!readSource(empty.path().toStdString()).ok());
    QVERIFY(!readSource(empty.path().toStdString() + "/nothing").ok());
  }
  void imagesAreReplacedByName() {
    auto o = j("{'spec':{'template':{'spec':{'initContainers':[{'image':'host:5000/web:1'}],'containers':[{'image':'web:1'},{'image':'web'},{'image':'webx:1'},{'image':'web@sha256:1'}]}}}}");
    QCOMPARE(replaceImage(o, "web", "web:2"), 3);
    QCOMPARE(replaceImage(o, "host:5000/web", "x:1"), 1);
    QCOMPARE(textAt(listAt(o, {"spec", "template", "spec", "containers"})[2], {"image"}), std::string("webx:1"));
  }
  void anImageAlone() {
    auto objects = objectsForImage("web", "ns", "docker.io/library/web:1", "sha256:1", {"8080/tcp", "53/udp", "junk"});
    QCOMPARE(names(objects), std::string("Service/web Deployment/web"));
    QCOMPARE(listAt(objects[0], {"spec", "ports"}).size(), size_t(2));
    QCOMPARE(names(objectsForImage("web", "ns", "r", "d", {})), std::string("Deployment/web"));
  }
  void rollouts_data() {
    QTest::addColumn<QByteArray>("object");
    QTest::addColumn<bool>("done");
    QTest::addColumn<QByteArray>("says");
    auto row = [](const char* name, const char* object, bool done, const char* says) { QTest::newRow(name) << QByteArray(object) << done << QByteArray(says); };
    row("unseen", "{'kind':'Deployment','metadata':{'generation':2},'spec':{'replicas':1},'status':{'observedGeneration':1,'updatedReplicas':1,'availableReplicas':1,'replicas':1}}", false, "controller");
    row("updating", "{'kind':'Deployment','metadata':{'generation':2},'spec':{'replicas':3},'status':{'observedGeneration':2,'updatedReplicas':1,'availableReplicas':3,'replicas':4}}", false, "1 of 3");
    row("old ones end", "{'kind':'Deployment','metadata':{'generation':2},'spec':{'replicas':1},'status':{'observedGeneration':2,'updatedReplicas':1,'availableReplicas':1,'replicas':2}}", false, "1 old");
    row("available", "{'kind':'Deployment','metadata':{'generation':2},'spec':{'replicas':1},'status':{'observedGeneration':2,'updatedReplicas':1,'availableReplicas':1,'replicas':1}}", true, "1 of 1");
    row("one by default", "{'kind':'Deployment','metadata':{},'spec':{},'status':{}}", false, "0 of 1");
    row("none wanted", "{'kind':'Deployment','metadata':{},'spec':{'replicas':0},'status':{}}", true, "");
    row("job", "{'kind':'Job','metadata':{},'spec':{},'status':{'conditions':[{'type':'Complete','status':'True'}]}}", true, "");
    row("others", "{'kind':'ConfigMap','metadata':{}}", true, "");
  }
  void rollouts() {
    QFETCH(QByteArray, object);
    QFETCH(bool, done);
    QFETCH(QByteArray, says);
    auto p = progressOf(j(object.toStdString()));
    QCOMPARE(p.done, done);
    QVERIFY2(p.text.find(says.toStdString()) != std::string::npos, p.text.c_str());
    QVERIFY(p.failure.empty());
  }
  void rolloutsThatCanNotEnd() {
    QVERIFY(!progressOf(j("{'kind':'Deployment','metadata':{},'status':{'conditions':[{'type':'Progressing','status':'False','reason':'ProgressDeadlineExceeded'}]}}")).failure.empty());
    QVERIFY(!progressOf(j("{'kind':'Job','metadata':{},'status':{'conditions':[{'type':'Failed','status':'True','message':'x'}]}}")).failure.empty());
    QVERIFY(!progressOf(j("{'kind':'Pod','metadata':{},'status':{'phase':'Failed'}}")).failure.empty());
  }
  void troubles() {
    auto of = [](const std::string& waiting, int restarts) {
      return troubleOf(j("{'metadata':{'name':'p'},'status':{'containerStatuses':[{'name':'c','image':'web:9','restartCount':" + std::to_string(restarts) +
                         ",'lastState':{'terminated':{'exitCode':3}},'state':{'waiting':{'reason':'" + waiting + "','message':'m'}}}]}}"));
    };
    QVERIFY(of("ImagePullBackOff", 0).fatal && of("ImagePullBackOff", 0).text.find("web:9") != std::string::npos);
    QVERIFY(of("InvalidImageName", 0).fatal);
    QVERIFY(!of("ErrImagePull", 0).fatal && !of("ErrImagePull", 0).text.empty());
    QVERIFY(!of("CrashLoopBackOff", 1).fatal);
    auto crash = of("CrashLoopBackOff", 2);
    QVERIFY(crash.fatal && crash.container == "c" && crash.text.find("exit code 3") != std::string::npos);
    QVERIFY(of("ContainerCreating", 0).text.empty());
    auto unschedulable = troubleOf(j("{'metadata':{'name':'p'},'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False','reason':'Unschedulable','message':'0/3 nodes'}]}}"));
    QVERIFY(!unschedulable.fatal && unschedulable.text.find("0/3 nodes") != std::string::npos);
    QVERIFY(troubleOf(j("{}")).text.empty());
  }
};

QTEST_GUILESS_MAIN(DeployTest)
#include "deploy_test.moc"

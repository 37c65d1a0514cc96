#include "engine/net/pki.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>

#include "engine/net/tls.h"

namespace ph::net {

namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

Status failed(const std::string& what) {
  auto why = tlsError();
  return Status::internal(why.empty() ? what : what + ": " + why);
}

BioPtr bioOf(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), int(text.size())), BIO_free};
}

std::string textOf(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return {data, size_t(size)};
}

X509Ptr readCert(const std::string& pem) {
  auto bio = bioOf(pem);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

bool addExtension(X509* cert, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (!extension) return false;
  bool ok = X509_add_ext(cert, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return ok;
}

bool addNameEntry(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()), int(value.size()),
                                    -1, 0) == 1;
}

Result<> addSubject(X509* cert, const CertSpec& spec) {
  X509_NAME* name = X509_get_subject_name(cert);
  for (auto& organization : spec.organizations)
    if (!addNameEntry(name, "O", organization))
      return failed("organization " + organization + " is not usable");
  if (!spec.commonName.empty() && !addNameEntry(name, "CN", spec.commonName))
    return failed("common name " + spec.commonName + " is not usable");
  return {};
}

// Built entry by entry and not from text: a name with a comma must not become two.
Result<> addAlternativeNames(X509* cert, const CertSpec& spec) {
  if (spec.dnsNames.empty() && spec.ipAddresses.empty()) return {};
  NamesPtr names(GENERAL_NAMES_new(), GENERAL_NAMES_free);
  auto add = [&](int type, const void* bytes, size_t size) {
    GENERAL_NAME* entry = GENERAL_NAME_new();
    ASN1_STRING* value = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
    ASN1_STRING_set(value, bytes, int(size));
    GENERAL_NAME_set0_value(entry, type, value);
    sk_GENERAL_NAME_push(names.get(), entry);
  };
  for (auto& dns : spec.dnsNames) add(GEN_DNS, dns.data(), dns.size());
  for (auto& ip : spec.ipAddresses) {
    unsigned char bytes[16];
    if (inet_pton(AF_INET, ip.c_str(), bytes) == 1) {
      add(GEN_IPADD, bytes, 4);
    } else if (inet_pton(AF_INET6, ip.c_str(), bytes) == 1) {
      add(GEN_IPADD, bytes, 16);
    } else {
      return Status::badRequest("\"" + ip + "\" is not an IP address");
    }
  }
  if (X509_add1_ext_i2d(cert, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1)
    return failed("the alternative names are not usable");
  return {};
}

bool setTime(ASN1_TIME* to, WallTime t) {
  return ASN1_TIME_set(to, std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count()) != nullptr;
}

Result<> fill(X509* cert, X509* issuer, EVP_PKEY* key, const CertSpec& spec) {
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1) return failed("no random serial number");
  serial[0] = (serial[0] & 0x7f) | 0x40;  // positive, and always of the same length
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
  BN_free(number);
  if (spec.notAfter <= spec.notBefore)
    return Status::badRequest("the certificate would end before it begins");
  if (X509_set_version(cert, X509_VERSION_3) != 1 || !setTime(X509_getm_notBefore(cert), spec.notBefore) ||
      !setTime(X509_getm_notAfter(cert), spec.notAfter) || X509_set_pubkey(cert, key) != 1)
    return failed("the certificate could not be filled in");
  PH_TRY(addSubject(cert, spec));
  if (X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1)
    return failed("the issuer could not be set");
  std::string usage;
  if (spec.serverAuth) usage = "serverAuth";
  if (spec.clientAuth) usage += usage.empty() ? "clientAuth" : ",clientAuth";
  bool ok = addExtension(cert, issuer, NID_basic_constraints,
                         spec.isCa ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
            addExtension(
                cert, issuer, NID_key_usage,
                spec.isCa ? "critical,digitalSignature,keyCertSign,cRLSign" : "critical,digitalSignature") &&
            (usage.empty() || addExtension(cert, issuer, NID_ext_key_usage, usage.c_str())) &&
            addExtension(cert, issuer, NID_subject_key_identifier, "hash") &&
            addExtension(cert, issuer, NID_authority_key_identifier, "keyid");
  if (!ok) return failed("an extension could not be added");
  return addAlternativeNames(cert, spec);
}

Result<KeyPair> make(const CertSpec& spec, X509* issuer, EVP_PKEY* issuerKey) {
  KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  X509Ptr cert(X509_new(), X509_free);
  if (!key || !cert) return failed("no key could be made");
  PH_TRY(fill(cert.get(), issuer ? issuer : cert.get(), key.get(), spec));
  if (X509_sign(cert.get(), issuerKey ? issuerKey : key.get(), EVP_sha256()) == 0)
    return failed("signing failed");
  BioPtr certOut(BIO_new(BIO_s_mem()), BIO_free), keyOut(BIO_new(BIO_s_mem()), BIO_free);
  if (PEM_write_bio_X509(certOut.get(), cert.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(keyOut.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed("the key pair could not be written");
  return KeyPair{textOf(certOut.get()), textOf(keyOut.get())};
}

}  // namespace

Result<KeyPair> makeCa(const CertSpec& spec) {
  ERR_clear_error();
  CertSpec ca = spec;
  ca.isCa = true;
  return make(ca, nullptr, nullptr);
}

Result<KeyPair> issue(const KeyPair& ca, const CertSpec& spec) {
  ERR_clear_error();
  auto cert = readCert(ca.certPem);
  if (!cert) return failed("the CA certificate is not readable");
  auto bio = bioOf(ca.keyPem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key) return failed("the CA key is not readable");
  if (X509_check_private_key(cert.get(), key.get()) != 1)
    return failed("the CA key is not the CA certificate's");
  return make(spec, cert.get(), key.get());
}

Result<WallTime> certExpiry(const std::string& certPem) {
  ERR_clear_error();
  auto cert = readCert(certPem);
  if (!cert) return failed("the certificate is not readable");
  tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(cert.get()), &parts) != 1)
    return failed("the expiry is not readable");
  using namespace std::chrono;
  auto day = sys_days(year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday);
  return WallTime(day + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec));
}

std::string sha256Hex(std::string_view bytes) {
  unsigned char digest[32];
  EVP_Digest(bytes.data(), bytes.size(), digest, nullptr, EVP_sha256(), nullptr);
  static const char digits[] = "0123456789abcdef";
  std::string out;
  for (unsigned char b : digest) {
    out += digits[b >> 4];
    out += digits[b & 15];
  }
  return out;
}

}  // namespace ph::net

#include "engine/net/csr.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "engine/net/tls.h"

namespace ph::net {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE REQUEST-----", kEnd = "-----END CERTIFICATE REQUEST-----";
constexpr int kLeastRsaBits = 2048;

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using ReqPtr = std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

Status failed(const std::string& what) {
  auto why = tlsError();
  return Status::internal(why.empty() ? what : what + ": " + why);
}

BioPtr bioOf(const std::string& text) { return {BIO_new_mem_buf(text.data(), int(text.size())), BIO_free}; }

// One block and white space, nothing else: what comes after it would be stored, and read by somebody else.
bool isOneBlock(std::string_view text) {
  constexpr std::string_view white = " \t\r\n";
  auto first = text.find_first_not_of(white);
  auto last = text.find_last_not_of(white);
  if (first == std::string_view::npos) return false;
  text = text.substr(first, last - first + 1);
  return text.starts_with(kBegin) && text.ends_with(kEnd) && text.find("-----BEGIN", 1) == std::string_view::npos;
}

ReqPtr readRequest(const std::string& pem) {
  auto bio = bioOf(pem);
  return {PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr), X509_REQ_free};
}

// False for texts with a zero or another control character in them: two readers would see two names.
bool textOf(const ASN1_STRING* s, std::string& out) {
  unsigned char* utf8 = nullptr;
  int size = ASN1_STRING_to_UTF8(&utf8, s);
  if (size < 0) return false;
  out.assign(reinterpret_cast<char*>(utf8), size_t(size));
  OPENSSL_free(utf8);
  return std::none_of(out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool readSubject(X509_NAME* name, CertRequest& out) {
  int names = 0;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    auto* entry = X509_NAME_get_entry(name, i);
    std::string text;
    if (!textOf(X509_NAME_ENTRY_get_data(entry), text)) return false;
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    if (nid == NID_commonName) out.commonName = text, ++names;
    if (nid == NID_organizationName) out.organizations.push_back(text);
  }
  return names <= 1;
}

NamesPtr alternativeNames(X509_REQ* request) {
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  auto* names = static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return {names, GENERAL_NAMES_free};
}

bool readName(const GENERAL_NAME* name, CertRequest& out) {
  int type = 0;
  auto* value = GENERAL_NAME_get0_value(name, &type);
  if (type == GEN_IPADD) {
    auto* bytes = static_cast<const ASN1_OCTET_STRING*>(value);
    char text[INET6_ADDRSTRLEN] = {};
    int size = ASN1_STRING_length(bytes);
    if ((size != 4 && size != 16) || !inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text, sizeof text))
      return false;
    out.ipAddresses.emplace_back(text);
    return true;
  }
  auto* list = type == GEN_DNS ? &out.dnsNames : type == GEN_EMAIL ? &out.emails : type == GEN_URI ? &out.uris : nullptr;
  if (!list) {
    out.otherNames = true;
    return true;
  }
  std::string text;
  if (!textOf(static_cast<const ASN1_STRING*>(value), text)) return false;
  list->push_back(std::move(text));
  return true;
}

bool addExtension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (!extension) return false;
  bool ok = X509_add_ext(cert, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return ok;
}

bool setTime(ASN1_TIME* to, WallTime t) {
  return ASN1_TIME_set(to, std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count()) != nullptr;
}

Result<> setSerial(X509* cert) {
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1) return failed("no random serial number");
  serial[0] = (serial[0] & 0x7f) | 0x40;  // positive, and always of the same length
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
  BN_free(number);
  return {};
}

Result<> addNames(X509* cert, X509_REQ* request) {
  auto names = alternativeNames(request);
  if (!names || sk_GENERAL_NAME_num(names.get()) == 0) return {};
  if (X509_add1_ext_i2d(cert, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1)
    return failed("the alternative names are not usable");
  return {};
}

}  // namespace

Result<CertRequest> readCertRequest(const std::string& pem) {
  ERR_clear_error();
  if (!isOneBlock(pem)) return Status::badRequest("PEM block type must be CERTIFICATE REQUEST");
  auto request = readRequest(pem);
  if (!request) {
    ERR_clear_error();
    return Status::badRequest("the certificate request is not readable");
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  bool sealed = key && X509_REQ_verify(request.get(), key) == 1;
  ERR_clear_error();
  if (!sealed) return Status::badRequest("the certificate request is not signed by its own key");
  if (EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) < kLeastRsaBits)
    return Status::badRequest("an RSA key must have at least 2048 bits");
  CertRequest out;
  bool fine = readSubject(X509_REQ_get_subject_name(request.get()), out);
  auto names = alternativeNames(request.get());
  for (int i = 0; fine && names && i < sk_GENERAL_NAME_num(names.get()); ++i)
    fine = readName(sk_GENERAL_NAME_value(names.get(), i), out);
  ERR_clear_error();
  if (!fine) return Status::badRequest("the certificate request holds a name that is not usable");
  return out;
}

Result<std::string> signCertRequest(const KeyPair& ca, const std::string& requestPem, const RequestedCert& wanted) {
  PH_TRY(readCertRequest(requestPem));
  ERR_clear_error();
  auto request = readRequest(requestPem);
  auto caBio = bioOf(ca.certPem), keyBio = bioOf(ca.keyPem);
  X509Ptr issuer(PEM_read_bio_X509(caBio.get(), nullptr, nullptr, nullptr), X509_free);
  KeyPtr issuerKey(PEM_read_bio_PrivateKey(keyBio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!issuer || !issuerKey) return failed("the CA is not readable");
  PH_ASSIGN(auto caEnd, certExpiry(ca.certPem));
  auto end = std::min(wanted.notAfter, caEnd);
  if (end <= wanted.notBefore) return Status::badRequest("the certificate would end before it begins");
  X509Ptr cert(X509_new(), X509_free);
  if (!cert || X509_set_version(cert.get(), X509_VERSION_3) != 1 || !setTime(X509_getm_notBefore(cert.get()), wanted.notBefore) ||
      !setTime(X509_getm_notAfter(cert.get()), end) || X509_set_pubkey(cert.get(), X509_REQ_get0_pubkey(request.get())) != 1 ||
      X509_set_subject_name(cert.get(), X509_REQ_get_subject_name(request.get())) != 1 ||
      X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer.get())) != 1)
    return failed("the certificate could not be filled in");
  PH_TRY(setSerial(cert.get()));
  bool ok = addExtension(cert.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
            (wanted.keyUsage.empty() || addExtension(cert.get(), issuer.get(), NID_key_usage, "critical," + wanted.keyUsage)) &&
            (wanted.extendedKeyUsage.empty() || addExtension(cert.get(), issuer.get(), NID_ext_key_usage, wanted.extendedKeyUsage)) &&
            addExtension(cert.get(), issuer.get(), NID_authority_key_identifier, "keyid");
  if (!ok) return failed("an extension could not be added");
  PH_TRY(addNames(cert.get(), request.get()));
  if (X509_sign(cert.get(), issuerKey.get(), EVP_sha256()) == 0) return failed("signing failed");
  BioPtr out(BIO_new(BIO_s_mem()), BIO_free);
  if (PEM_write_bio_X509(out.get(), cert.get()) != 1) return failed("the certificate could not be written");
  char* data = nullptr;
  long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, size_t(size));
}

}  // namespace ph::net

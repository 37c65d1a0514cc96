#include "engine/net/signing.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "engine/base/base64.h"
#include "engine/net/pki.h"
#include "engine/net/tls.h"

namespace ph::net {
namespace {

constexpr int kCoordinate = 32;  // bytes of r, s, x and y on P-256
constexpr int kLeastRsaBits = 2048;

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using BnPtr = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using MdPtr = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using SigPtr = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;

Status failed(const std::string& what) {
  auto why = tlsError();
  return Status::internal(why.empty() ? what : what + ": " + why);
}

const unsigned char* bytesOf(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }

std::string publicDer(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int size = i2d_PUBKEY(key, &der);
  std::string out(reinterpret_cast<char*>(der), size > 0 ? size_t(size) : 0);
  OPENSSL_free(der);
  return out;
}

std::string numberOf(EVP_PKEY* key, const char* name, int width) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return {};
  BnPtr n(raw, BN_free);
  std::string out(size_t(width > 0 ? width : BN_num_bytes(raw)), '\0');
  if (BN_bn2binpad(raw, reinterpret_cast<unsigned char*>(out.data()), int(out.size())) < 0) return {};
  return base64Url(out);
}

bool isP256(EVP_PKEY* key) {
  char group[64] = {};
  size_t size = 0;
  return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

// ECDSA's DER to JOSE's two numbers side by side.
Result<std::string> joseOf(std::string_view der) {
  const unsigned char* at = bytesOf(der);
  SigPtr sig(d2i_ECDSA_SIG(nullptr, &at, long(der.size())), ECDSA_SIG_free);
  std::string out(2 * kCoordinate, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig.get()), to, kCoordinate) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(sig.get()), to + kCoordinate, kCoordinate) < 0)
    return failed("the signature is not readable");
  return out;
}

std::string derOf(std::string_view jose) {
  if (jose.size() != 2 * kCoordinate) return {};
  SigPtr sig(ECDSA_SIG_new(), ECDSA_SIG_free);
  BIGNUM* r = BN_bin2bn(bytesOf(jose), kCoordinate, nullptr);
  BIGNUM* s = BN_bin2bn(bytesOf(jose) + kCoordinate, kCoordinate, nullptr);
  if (!sig || ECDSA_SIG_set0(sig.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  int size = i2d_ECDSA_SIG(sig.get(), &der);
  std::string out(reinterpret_cast<char*>(der), size > 0 ? size_t(size) : 0);
  OPENSSL_free(der);
  return out;
}

}  // namespace

std::string base64Url(std::string_view bytes) {
  auto out = toBase64(bytes);
  for (auto& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (!out.empty() && out.back() == '=') out.pop_back();
  return out;
}

bool base64UrlDecode(std::string_view text, std::string& out) {
  std::string plain(text);
  for (auto& c : plain) {
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!letter) return false;
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  while (plain.size() % 4 != 0) plain += '=';
  auto bytes = fromBase64(plain);
  if (!bytes || base64Url(*bytes) != text) return false;  // one text for the same bytes, or a token could be changed unseen
  out = std::move(*bytes);
  return true;
}

Result<std::string> SigningKey::makePem() {
  ERR_clear_error();
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  BioPtr out(BIO_new(BIO_s_mem()), BIO_free);
  if (!key || PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed("no signing key could be made");
  char* data = nullptr;
  long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, size_t(size));
}

Result<SigningKey> SigningKey::fromPem(const std::string& pem) {
  ERR_clear_error();
  BioPtr in(BIO_new_mem_buf(pem.data(), int(pem.size())), BIO_free);
  // An encrypted key gets an empty password: it fails, and nothing waits at a terminal.
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, const_cast<char*>(""));
  if (!key) return failed("the signing key is not readable");
  SigningKey out;
  out.key_ = std::shared_ptr<void>(key, [](void* k) { EVP_PKEY_free(static_cast<EVP_PKEY*>(k)); });
  out.rsa_ = EVP_PKEY_is_a(key, "RSA") == 1;
  if (out.rsa_ ? EVP_PKEY_get_bits(key) < kLeastRsaBits : !(EVP_PKEY_is_a(key, "EC") == 1 && isP256(key)))
    return Status::internal("a signing key must be a P-256 key, or an RSA key of 2048 bits or more");
  auto der = publicDer(key);
  unsigned char digest[32];
  if (der.empty() || EVP_Digest(der.data(), der.size(), digest, nullptr, EVP_sha256(), nullptr) != 1)
    return failed("the signing key has no public part");
  out.id_ = base64Url({reinterpret_cast<char*>(digest), sizeof digest});
  std::string common = "\"use\":\"sig\",\"kid\":\"" + out.id_ + "\",\"alg\":\"" + std::string(out.algorithm()) + "\"";
  if (out.rsa_)
    out.jwk_ = "{\"kty\":\"RSA\"," + common + ",\"n\":\"" + numberOf(key, OSSL_PKEY_PARAM_RSA_N, 0) + "\",\"e\":\"" +
               numberOf(key, OSSL_PKEY_PARAM_RSA_E, 0) + "\"}";
  else
    out.jwk_ = "{\"kty\":\"EC\"," + common + ",\"crv\":\"P-256\",\"x\":\"" +
               numberOf(key, OSSL_PKEY_PARAM_EC_PUB_X, kCoordinate) + "\",\"y\":\"" +
               numberOf(key, OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinate) + "\"}";
  return out;
}

std::string_view SigningKey::algorithm() const { return rsa_ ? "RS256" : "ES256"; }

Result<std::string> SigningKey::sign(std::string_view bytes) const {
  ERR_clear_error();
  auto* key = static_cast<EVP_PKEY*>(key_.get());
  MdPtr md(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  size_t size = 0;
  if (!md || EVP_DigestSignInit(md.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(md.get(), nullptr, &size, bytesOf(bytes), bytes.size()) != 1)
    return failed("signing failed");
  std::string out(size, '\0');
  if (EVP_DigestSign(md.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytesOf(bytes), bytes.size()) != 1)
    return failed("signing failed");
  out.resize(size);
  return rsa_ ? Result<std::string>(std::move(out)) : joseOf(out);
}

bool SigningKey::verify(std::string_view bytes, std::string_view signature) const {
  auto* key = static_cast<EVP_PKEY*>(key_.get());
  std::string der = rsa_ ? std::string(signature) : derOf(signature);
  MdPtr md(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  bool good = !der.empty() && md && EVP_DigestVerifyInit(md.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
              EVP_DigestVerify(md.get(), bytesOf(der), der.size(), bytesOf(bytes), bytes.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace ph::net

#include "engine/net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace ph::net {

namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

BioPtr bioOf(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), int(text.size())), BIO_free};
}

Status bad(const std::string& what) {
  auto why = tlsError();
  return Status::badRequest(why.empty() ? what : what + ": " + why);
}

bool isAddress(const std::string& host) {
  unsigned char room[16];
  return inet_pton(AF_INET, host.c_str(), room) == 1 || inet_pton(AF_INET6, host.c_str(), room) == 1;
}

Result<> useCertificate(SSL_CTX* ctx, const std::string& certPem, const std::string& keyPem) {
  auto bio = bioOf(certPem);
  X509Ptr leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr), X509_free);
  if (!leaf || SSL_CTX_use_certificate(ctx, leaf.get()) != 1) return bad("the certificate is not usable");
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(ctx, next) != 1) {
      X509_free(next);
      return bad("the certificate chain is not usable");
    }
  }
  ERR_clear_error();  // the end of the text is an error to PEM_read
  auto keyBio = bioOf(keyPem);
  KeyPtr key(PEM_read_bio_PrivateKey(keyBio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key || SSL_CTX_use_PrivateKey(ctx, key.get()) != 1) return bad("the private key is not usable");
  if (SSL_CTX_check_private_key(ctx) != 1) return bad("the private key is not the certificate's");
  return {};
}

// Trusts every certificate of `pem`; as a server also names them when asking for the client's.
Result<> trust(SSL_CTX* ctx, const std::string& pem, bool announce) {
  auto bio = bioOf(pem);
  int count = 0;
  while (true) {
    X509Ptr ca(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (!ca) break;
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca.get()) != 1)
      return bad("a CA certificate is not usable");
    if (announce) SSL_CTX_add_client_CA(ctx, ca.get());
    ++count;
  }
  if (count == 0) return bad("no CA certificate found");
  ERR_clear_error();
  return {};
}

Result<SSL_CTX*> basicContext(const SSL_METHOD* method) {
  SSL_CTX* ctx = SSL_CTX_new(method);
  if (!ctx) return bad("TLS is not available");
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  // AES-128 first: as safe here and a third cheaper than AES-256; ChaCha for machines without AES
  // instructions.
  SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384");
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Thousands of quiet connections: idle sessions must not hold 32 KB of buffers each.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ctx, 0);
  SSL_CTX_set_read_ahead(ctx, 1);
  return ctx;
}

// The wire form: each name after its length.
constexpr unsigned char kAlpnBoth[] = "\x02h2\x08http/1.1";
constexpr unsigned char kAlpnH2[] = "\x02h2";
constexpr unsigned char kAlpnH1[] = "\x08http/1.1";

int selectProtocol(SSL*, const unsigned char** out, unsigned char* outSize, const unsigned char* in,
                   unsigned inSize, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, outSize, kAlpnBoth, sizeof kAlpnBoth - 1, in, inSize) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TlsContext::~TlsContext() {
  SSL_CTX_free(ctx_);
}

Result<std::shared_ptr<TlsContext>> TlsContext::server(const ServerTls& tls) {
  ERR_clear_error();
  PH_ASSIGN(SSL_CTX * ctx, basicContext(TLS_server_method()));
  std::shared_ptr<TlsContext> context(new TlsContext(ctx));
  PH_TRY(useCertificate(ctx, tls.certPem, tls.keyPem));
  if (!tls.clientCaPem.empty()) {
    PH_TRY(trust(ctx, tls.clientCaPem, true));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  }
  SSL_CTX_set_alpn_select_cb(ctx, selectProtocol, nullptr);
  return context;
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(const ClientTls& tls) {
  ERR_clear_error();
  PH_ASSIGN(SSL_CTX * ctx, basicContext(TLS_client_method()));
  std::shared_ptr<TlsContext> context(new TlsContext(ctx));
  context->client_ = tls;
  if (!tls.certPem.empty()) PH_TRY(useCertificate(ctx, tls.certPem, tls.keyPem));
  if (tls.insecureSkipVerify) {
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, nullptr);
  } else {
    if (tls.caPem.empty()) {
      SSL_CTX_set_default_verify_paths(ctx);
    } else {
      PH_TRY(trust(ctx, tls.caPem, false));
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  }
  return context;
}

ssl_st* TlsContext::newServerSession() const {
  SSL* ssl = SSL_new(ctx_);
  PH_CHECK(ssl);
  SSL_set_accept_state(ssl);
  return ssl;
}

ssl_st* TlsContext::newClientSession(const std::string& host, bool offerHttp2, bool offerHttp1) const {
  SSL* ssl = SSL_new(ctx_);
  PH_CHECK(ssl);
  SSL_set_connect_state(ssl);
  const std::string& name = client_.serverName.empty() ? host : client_.serverName;
  if (isAddress(name)) {
    if (!client_.insecureSkipVerify) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
  } else if (!name.empty()) {
    SSL_set_tlsext_host_name(ssl, name.c_str());
    if (!client_.insecureSkipVerify) SSL_set1_host(ssl, name.c_str());
  }
  if (offerHttp2 && offerHttp1) {
    SSL_set_alpn_protos(ssl, kAlpnBoth, sizeof kAlpnBoth - 1);
  } else if (offerHttp2) {
    SSL_set_alpn_protos(ssl, kAlpnH2, sizeof kAlpnH2 - 1);
  } else {
    SSL_set_alpn_protos(ssl, kAlpnH1, sizeof kAlpnH1 - 1);
  }
  return ssl;
}

std::string tlsError() {
  unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return {};
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "error " + std::to_string(code);
}

std::string negotiatedProtocol(ssl_st* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

void peerIdentity(ssl_st* ssl, Peer& peer) {
  X509Ptr cert(SSL_get1_peer_certificate(ssl), X509_free);
  if (!cert || SSL_get_verify_result(ssl) != X509_V_OK) return;
  X509_NAME* subject = X509_get_subject_name(cert.get());
  auto textAt = [&](int index) {
    std::string text;
    unsigned char* utf8 = nullptr;
    int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size > 0) text.assign(reinterpret_cast<char*>(utf8), size_t(size));
    OPENSSL_free(utf8);
    return text;
  };
  int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) peer.certCommonName = textAt(at);
  for (at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_organizationName, at)) >= 0;)
    peer.certOrganizations.push_back(textAt(at));
}

}  // namespace ph::net

// CredentialStore: where the fleet's private keys and passphrases come from. The app implements it on the keychain;
// the engine keeps files in its data directory.
// Threads: find() is called on the fleet's set-up threads, several at once; it may block.
#pragma once

#include <memory>
#include <string>

#include "engine/base/result.h"

namespace ph::fleet {

struct Credential {
  std::string privateKey;    // the text of a private key file (OpenSSH or PEM); empty: identityFile, or the ssh-agent
  std::string identityFile;  // a path on this box
  std::string passphrase;    // of the key; empty: none
};

class CredentialStore {
 public:
  virtual ~CredentialStore() = default;
  // 404 when there is none of this name.
  virtual Result<Credential> find(const std::string& name) = 0;
};

// DIR/NAME is a private key; DIR/NAME.passphrase (optional) its passphrase. Files others can read are refused.
std::unique_ptr<CredentialStore> makeFileCredentialStore(std::string dir);

}  // namespace ph::fleet

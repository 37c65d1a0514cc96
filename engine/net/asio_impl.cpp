// The one place where Asio's and Beast's bodies are compiled (see *_SEPARATE_COMPILATION in the root
// CMakeLists.txt).
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>

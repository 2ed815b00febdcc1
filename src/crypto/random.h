// Secrets from the operating system's random source. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stoker::crypto {

// `length` letters of `alphabet`, each as likely as any other. Ends the process if there is no randomness: going on
// would make secrets that can be guessed. REQUIRES: 2 to 256 different letters.
std::string random_text(std::size_t length, std::string_view alphabet);

}  // namespace stoker::crypto

// Canonical text is canonical, whatever it was made from.
#include <cstdlib>

#include "wire/canonical_json.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using stoker::wire::CanonicalObject;
    const auto nothing = [](std::string_view) { return false; };
    const auto first = CanonicalObject::read(std::string_view(reinterpret_cast<const char*>(data), size));
    if (!first) return 0;
    (void)first->find("seed");
    const std::string text = first->text(nothing);
    const auto second = CanonicalObject::read(text);
    if (!second || second->text(nothing) != text) std::abort();
    return 0;
}

#include "gateway/identity.h"

namespace stoker::gateway {

const std::shared_ptr<const Identity>& anonymous() {
    static const auto kNobody = std::make_shared<const Identity>();
    return kNobody;
}

}  // namespace stoker::gateway

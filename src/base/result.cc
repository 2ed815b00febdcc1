#include "base/result.h"

namespace stoker {

std::string_view to_string(Errc code) {
    switch (code) {
        case Errc::NotFound:
            return "not_found";
        case Errc::InvalidArgument:
            return "invalid_argument";
        case Errc::Conflict:
            return "conflict";
        case Errc::Unavailable:
            return "unavailable";
        case Errc::DeadlineExceeded:
            return "deadline_exceeded";
        case Errc::ResourceExhausted:
            return "resource_exhausted";
        case Errc::PermissionDenied:
            return "permission_denied";
        case Errc::Corruption:
            return "corruption";
        case Errc::Cancelled:
            return "cancelled";
        case Errc::Internal:
            return "internal";
    }
    return "internal";
}

}  // namespace stoker

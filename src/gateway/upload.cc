#include "gateway/upload.h"

#include <string>
#include <utility>

namespace stoker::gateway {
namespace asio = boost::asio;

Upload::Upload(net::Exchange& exchange, wire::FormScanner form, std::uint64_t remaining)
    : exchange_(exchange), form_(std::move(form)), remaining_(remaining) {}

asio::awaitable<Result<std::string_view>> Upload::read_some() {
    begun_ = true;
    auto piece = co_await exchange_.read_some();
    if (!piece) {
        problem_ = piece.error();
        // Without the detail that a fault of the replica would have.
        co_return Error{piece.error().code, piece.error().message};
    }
    // A second `model` behind the file could make the engine serve another than the one that was allowed.
    const bool well_formed = form_.feed(*piece) && (!piece->empty() || form_.done());
    if (!well_formed) {
        problem_ = Error{Errc::InvalidArgument, std::string("the form is malformed: ") +
                                                    (*form_.problem() != '\0' ? form_.problem() : "it has no end")};
        co_return *problem_;
    }
    co_return *piece;
}

}  // namespace stoker::gateway
